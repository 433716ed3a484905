/** What a page shows when it has nothing, or something went wrong: words, a way on, and a reference to quote. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Problem } from "@/api/http";
import { strings } from "@/strings";
import { Icon } from "./icons";
import { Mark } from "./mark";

interface StateProps {
  title: string;
  lead: string;
  heading?: "h1" | "h2";
  children?: ReactNode;
}

export function EmptyState({ title, lead, heading: Heading = "h2", children }: StateProps) {
  return (
    <div className="state">
      <Mark className="state__mark" />
      <Heading>{title}</Heading>
      <p>{lead}</p>
      {children && <div className="state__actions">{children}</div>}
    </div>
  );
}

function wordsFor(error: unknown): { title: string; lead: string } {
  const words = strings.states;
  if (!(error instanceof Problem)) return { title: words.errorTitle, lead: words.errorLead };
  if (error.offline) return { title: words.unreachable, lead: words.unreachableLead };
  if (error.status === 403) return { title: words.forbidden, lead: words.forbiddenLead };
  return { title: words.errorTitle, lead: sentence(error.message) || words.errorLead };
}

/** The server's words, begun and ended as a sentence. */
function sentence(text: string): string {
  if (!text) return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

interface ErrorProps {
  error: unknown;
  retry?: () => void;
  heading?: "h1" | "h2";
}

export function ErrorState({ error, retry, heading: Heading = "h2" }: ErrorProps) {
  const { title, lead } = wordsFor(error);
  const reference = error instanceof Problem ? error.correlationId : undefined;
  return (
    <div className="state" role="alert">
      <Heading>{title}</Heading>
      <p>{lead}</p>
      {reference && (
        <p className="state__reference">
          {strings.states.reference}: {reference}
        </p>
      )}
      <div className="state__actions">
        {retry && (
          <button type="button" className="button button--primary" onClick={retry}>
            <Icon name="retry" />
            {strings.states.retry}
          </button>
        )}
        <Link to="/" className="button">
          {strings.states.goHome}
        </Link>
      </div>
    </div>
  );
}

export function NotFound() {
  return (
    <main className="page" id="content">
      <EmptyState title={strings.states.notFound} lead={strings.states.notFoundLead} heading="h1">
        <Link to="/" className="button button--primary">
          {strings.states.goHome}
        </Link>
      </EmptyState>
    </main>
  );
}
