// The door of `starlane`: loads apps and components, and runs their operations.

export { type Diagnostic, DiagnosticsError, renderDiagnostic } from "./base/diagnostics.ts";
export { ERROR_CODES, type ErrorCode } from "./base/error-codes.ts";
export { type ErrorData, StarlaneError } from "./base/errors.ts";
export type { NodeEvent, Signature, Transaction } from "./flow/flow.ts";
export type { App, AppOperation, LoadedComponent, Operation, WasmComponent, WasmOperation } from "./star/app.ts";
export { findOperation } from "./star/operations.ts";
export { type Loaded, loadTarget } from "./star/star.ts";
export { runTransaction, type TransactionSettings } from "./star/transaction.ts";
export { fromJson, toJson } from "./wit/json.ts";
