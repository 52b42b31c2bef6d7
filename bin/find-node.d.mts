/** The real path of the platform package's Node, looked for in every `node_modules` from `folder` up. */
export function findNodeBinary(folder: string): string | undefined;
