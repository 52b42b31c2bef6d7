// The closed list of error codes: what each means and the exit status a command ends with.
// `docs/errors.md` is made from this table and a test keeps both in step.

/** Exit status: 1 the operation failed, 2 wrong usage, file or manifest, 3 a limit or a denial. */
export interface ErrorCodeInfo {
  readonly means: string;
  readonly exit: 1 | 2 | 3;
}

export const ERROR_CODES = {
  "cli/usage": { means: "The command line does not fit the command.", exit: 2 },
  "cli/unknown-port": { means: "A value was given for a port that the operation does not have.", exit: 2 },
  "cli/missing-input": { means: "An input port that has no default got no value.", exit: 2 },
  "cli/not-supported-yet": { means: "A command or flag is planned and known, but not built yet.", exit: 2 },
  "component/malformed": { means: "The bytes are not a component binary: decoding stopped at the offset given.", exit: 2 },
  "component/invalid": { means: "The component decodes, but breaks a rule of the component model.", exit: 2 },
  "component/not-supported-yet": { means: "The component is valid, but uses a feature the engine cannot run yet.", exit: 2 },
  "engine/missing-import": { means: "The component imports something that nothing provides.", exit: 2 },
  "engine/trap": { means: "The component trapped: it broke a rule at run time and was stopped.", exit: 1 },
  "engine/bad-value": { means: "A value does not fit the WIT type it was given for.", exit: 2 },
  "engine/unknown-export": { means: "The component has no export of that name.", exit: 2 },
  "engine/instantiate": { means: "The component could not be instantiated.", exit: 1 },
  "starlane/internal": { means: "A mistake in Starlane itself. Please report it.", exit: 1 },
} as const satisfies Record<string, ErrorCodeInfo>;

export type ErrorCode = keyof typeof ERROR_CODES;
