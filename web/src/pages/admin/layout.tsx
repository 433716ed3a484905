/** The curators' desk: its tabs, for those who may sit at it. */
import "@/styles/lists.css";
import "@/styles/admin.css";
import { Link, Outlet } from "@tanstack/react-router";
import { useMe } from "@/app/session";
import { usePageTitle } from "@/components/page-title";
import { EmptyState } from "@/components/states";
import { Tabs } from "@/components/tabs";
import { strings } from "@/strings";
import { adminEn as words } from "@/strings/admin-en";

const tabs = [
  { to: "/admin/titles", label: words.tabs.titles, admin: false },
  { to: "/admin/import", label: words.tabs.imports, admin: false },
  { to: "/admin/jobs", label: words.tabs.jobs, admin: false },
  { to: "/admin/models", label: words.tabs.models, admin: true },
  { to: "/admin/experiments", label: words.tabs.experiments, admin: true },
  { to: "/admin/users", label: words.tabs.users, admin: true },
] as const;

export function AdminLayout() {
  const { data: me } = useMe();
  usePageTitle(words.title);
  const role = me?.account.role;
  if (role === "viewer") {
    return (
      <main id="content" tabIndex={-1} className="page">
        <EmptyState title={strings.states.forbidden} lead={strings.states.forbiddenLead} heading="h1">
          <Link to="/" className="button button--primary">
            {strings.states.goHome}
          </Link>
        </EmptyState>
      </main>
    );
  }
  return (
    <main id="content" tabIndex={-1} className="page desk">
      <h1>{words.title}</h1>
      <Tabs label={words.nav}>
        {tabs
          .filter((tab) => !tab.admin || role === "admin")
          .map((tab) => (
            <Link key={tab.to} to={tab.to} className="tab" activeOptions={{ exact: true, includeSearch: false }}>
              {tab.label}
            </Link>
          ))}
      </Tabs>
      <Outlet />
    </main>
  );
}
