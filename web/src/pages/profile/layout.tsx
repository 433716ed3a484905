/** The profile's own pages: history, ratings, preferences, password and sessions. */
import "@/styles/lists.css";
import "@/styles/title.css";
import { Link, Outlet } from "@tanstack/react-router";
import { useActiveProfile, useMe } from "@/app/session";
import { Avatar } from "@/components/avatar";
import { usePageTitle } from "@/components/page-title";
import { Tabs } from "@/components/tabs";
import { strings } from "@/strings";

const words = strings.profile;

const tabs = [
  { to: "/profile", label: words.history },
  { to: "/profile/ratings", label: words.ratings },
  { to: "/profile/preferences", label: words.preferences },
  { to: "/profile/security", label: words.security },
] as const;

export function ProfileLayout() {
  const { data: me } = useMe();
  const profile = useActiveProfile();
  usePageTitle(profile?.name);
  return (
    <main id="content" tabIndex={-1} className="page">
      <div className="profile-head">
        {profile ? (
          <Avatar name={profile.avatar} seed={profile.name} className="face" />
        ) : (
          <span className="face skeleton" style={{ blockSize: "4rem" }} />
        )}
        <div>
          <h1>{profile ? words.title(profile.name) : strings.app.loading}</h1>
          <p className="muted">{me?.account.email}</p>
        </div>
      </div>
      <Tabs label={words.tabs}>
        {tabs.map((tab) => (
          <Link key={tab.to} to={tab.to} className="tab" activeOptions={{ exact: true }}>
            {tab.label}
          </Link>
        ))}
      </Tabs>
      <Outlet />
    </main>
  );
}
