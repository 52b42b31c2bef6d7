// SQL databases that a component was granted: `starlane:sql` and `wasi:sql`.

import type { Binding, Capability } from "../capability.ts";
import { Sessions, type SqlGrant } from "./sessions.ts";
import { starlaneSql } from "./starlane-sql.ts";
import { wasiSql } from "./wasi-sql.ts";

/** The grant: databases by the names that the component knows them by. */
export const sqlCapability: Capability<SqlGrant> = {
  name: "sql",
  packages: ["starlane:sql", "wasi:sql"],
  configure: (grant) => (): Binding => {
    const sessions = new Sessions(grant);
    return {
      imports: { ...starlaneSql(sessions), ...wasiSql(sessions) },
      prepare: (transaction) => sessions.prepare(transaction),
      finish: (outcome) => sessions.finish(outcome),
    };
  },
};
