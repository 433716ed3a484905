/** Who made it and who is in it, by what they did; each name leads to their other titles. */
import { Link } from "@tanstack/react-router";
import type { Credit } from "@/api/types";
import { strings } from "@/strings";

const words = strings.title;

/** Directors before writers before the cast, as a programme would print it. */
const ORDER = ["director", "writer", "actor"];

export function byRole(people: Credit[]): [string, Credit[]][] {
  const groups = new Map<string, Credit[]>();
  for (const credit of people) groups.set(credit.role, [...(groups.get(credit.role) ?? []), credit]);
  const rank = (role: string) => (ORDER.includes(role) ? ORDER.indexOf(role) : ORDER.length);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b));
}

export function People({ people }: { people: Credit[] }) {
  return (
    <section aria-labelledby="people">
      <h2 id="people">{words.people}</h2>
      <dl className="people">
        {byRole(people).map(([role, credits]) => (
          <div key={role}>
            <dt>{words.roles[role] ?? role}</dt>
            {credits.map((credit) => (
              <dd key={credit.id}>
                <Link to="/search" search={{ q: credit.name }} className="reason-link">
                  {credit.name}
                </Link>
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </section>
  );
}
