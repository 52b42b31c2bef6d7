// The door of `starlane/engine`: runs WebAssembly components, in Node, browsers and workers.

export { ERROR_CODES, type ErrorCode } from "../base/error-codes.ts";
export { type ErrorData, StarlaneError } from "../base/errors.ts";
export { HostStream } from "./async/host-streams.ts";
export { compile } from "./compile.ts";
export { mayWait } from "./may-wait.ts";
export { markTimeless } from "./timeless.ts";
export {
  type CallOptions,
  type CompiledComponent,
  type CompileOptions,
  ComponentError,
  type ComponentFunction,
  type Imports,
  type Instance,
  type InstanceImports,
  type Intercept,
  type Limits,
  type Pool,
  type PoolOptions,
  type PoolState,
  type Usage,
} from "./engine.ts";
export type { ExternType, FuncType, NamedExtern, ResourceType, ValType, WorldType } from "../wit/types.ts";
