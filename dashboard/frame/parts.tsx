// Small pieces that every page uses.

import type { JSX, ReactNode } from "react";
import { shortened } from "../values/shortened.ts";

const LONGEST_TITLE = 200;

/** The heading of a page; the way to it stands above. */
export function Heading({
  title,
  full,
  above,
  children,
}: {
  readonly title: string;
  /** The whole name, where the title is shorter. */
  readonly full?: string | undefined;
  readonly above?: ReactNode;
  readonly children?: ReactNode;
}): JSX.Element {
  return (
    <header className="heading">
      {above !== undefined && <p className="above">{above}</p>}
      <h1 tabIndex={-1} title={full}>
        {shortened(title, LONGEST_TITLE)}
      </h1>
      {children}
    </header>
  );
}

export function Section({
  id,
  title,
  aside,
  children,
  className = "",
}: {
  readonly id: string;
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}): JSX.Element {
  return (
    <section className={`panel ${className}`} aria-labelledby={`${id}-title`}>
      <div className="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Empty({ children }: { readonly children: ReactNode }): JSX.Element {
  return <p className="empty">{children}</p>;
}

/** An address as a link, where it is one of the web: whatever else is only text. */
export function AddressLink({ address, children }: { readonly address: string; readonly children?: ReactNode }): JSX.Element {
  const content = children ?? address;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return <>{content}</>;
  return (
    <a href={address} target="_blank" rel="noreferrer">
      {content}
    </a>
  );
}
