// The page starts: theme, events, and what is shown.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Dashboard } from "./frame/dashboard.tsx";
import { follow } from "./model/live.ts";
import { startTheme } from "./model/theme.ts";

startTheme();
follow();
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <Dashboard />
    </StrictMode>,
  );
}
