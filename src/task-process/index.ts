/** Work on untrusted files and with native code, in processes of their own. */
export { compiledProgram } from './compiled-program.js';
export { OUT_OF_MEMORY } from './messages.js';
export { wantsProcessor, workedMs } from './processor-time.js';
export { runTask, TaskProcess, TaskProcessFault, type TaskOptions } from './task-process.js';
export { whenGone } from './when-gone.js';
export { workOn, type Parent } from './work.js';
