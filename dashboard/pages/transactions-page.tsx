// All transactions since the page was opened, whatever started them.

import { useMemo, useState, type JSX } from "react";
import type { TransactionView } from "../../src/api/contract.ts";
import { Heading } from "../frame/parts.tsx";
import { useModel } from "../model/store.ts";
import { TransactionTable } from "./transaction-table.tsx";

export function TransactionsPage(): JSX.Element {
  const transactions = useModel((model) => model.transactions);
  const [operation, setOperation] = useState("");
  const [isFailed, setFailed] = useState(false);
  const names = useMemo(() => [...new Set(transactions.map(nameOf))].toSorted(), [transactions]);
  const shown = transactions.filter(
    (each) => (operation === "" || nameOf(each) === operation) && (!isFailed || each.outcome === "failed"),
  );
  return (
    <article>
      <Heading title="Transactions" />
      <div className="filters">
        <label>
          Operation
          <select value={operation} onChange={(event) => setOperation(event.target.value)}>
            <option value="">all</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label className="check">
          <input type="checkbox" checked={isFailed} onChange={(event) => setFailed(event.target.checked)} />
          <span>Only what failed</span>
        </label>
      </div>
      <TransactionTable
        transactions={shown}
        hasOperation
        empty={transactions.length === 0 ? "Nothing has run since this page was opened." : "No transaction is like that."}
      />
    </article>
  );
}

function nameOf({ app, operation }: TransactionView): string {
  return `${app} ${operation}`;
}
