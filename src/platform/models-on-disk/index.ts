/** Model files: the catalogue, and how they come onto this machine. */
export { catalogue, catalogueEntry } from './catalogue.js';
export type { CatalogueEntry, EmbedderEntry, FileSource, GeneratorEntry, GeneratorShape } from './catalogue.js';
export { ModelsOnDisk, parseHubFile } from './models-on-disk.js';
export type { DownloadProgress, ModelFileOnDisk, OnDownloadProgress } from './models-on-disk.js';
