/** Work on untrusted files and with native code, in processes of their own. */
export { compiledProgram } from './compiled-program.js';
export { OUT_OF_MEMORY, type Task } from './messages.js';
export { runTask, TaskProcess, TaskProcessFault, type TaskOptions, type TaskProgram } from './task-process.js';
export { whenGone, type Ending } from './when-gone.js';
export { workOn, type Parent } from './work.js';
