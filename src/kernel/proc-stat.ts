/**
 * The fields of `/proc/<pid>/stat` from the third (the state) on, so that field n of proc(5) is at n - 3. The second is the program's name,
 * which may hold blanks and brackets, but ends with the last bracket.
 */
export const procStatFields = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
