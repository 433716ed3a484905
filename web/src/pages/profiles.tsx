/** Who is watching: choose, add, change or delete a profile. */
import "@/styles/auth.css";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { meQuery } from "@/api/queries";
import type { Profile } from "@/api/types";
import { useMe, useSwitchProfile } from "@/app/session";
import { Avatar } from "@/components/avatar";
import { Icon } from "@/components/icons";
import { usePageTitle } from "@/components/page-title";
import { ErrorState } from "@/components/states";
import { strings } from "@/strings";
import { ProfileEditor } from "./profile-editor";

const PROFILES_MAX = 5;
const words = strings.profiles;

export function ProfilesPage() {
  usePageTitle(words.title);
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/profiles" });
  const switchTo = useSwitchProfile();
  const [managing, setManaging] = useState(false);
  const [editing, setEditing] = useState<Profile | "new">();
  const profiles = me.data?.profiles ?? [];

  const choose = async (profile: Profile, firstVisit = false) => {
    switchTo(profile.id);
    await navigate({ href: firstVisit ? "/welcome" : (next ?? "/") });
  };
  const saved = async (profile: Profile | undefined) => {
    const created = editing === "new";
    setEditing(undefined);
    await client.invalidateQueries({ queryKey: meQuery.queryKey });
    if (created && profile) await choose(profile, !profile.kids);
  };

  return (
    <main id="content" className="profiles" tabIndex={-1}>
      <h1>{managing ? words.manage : words.title}</h1>
      {me.isError && <ErrorState error={me.error} retry={() => me.refetch()} />}
      <ul className="profiles__list">
        {profiles.map((profile) => (
          <li key={profile.id}>
            <ProfileButton
              profile={profile}
              managing={managing}
              onClick={() => (managing ? setEditing(profile) : choose(profile))}
            />
          </li>
        ))}
        {me.isPending &&
          [1, 2, 3].map((key) => <li key={key} className="skeleton profile-card" style={{ blockSize: "10.5rem" }} />)}
        {me.data && profiles.length < PROFILES_MAX && (
          <li>
            <button type="button" className="profile-card" onClick={() => setEditing("new")}>
              <span className="profile-card__new">
                <Icon name="plus" />
              </span>
              <span className="profile-card__name">{words.add}</span>
            </button>
          </li>
        )}
      </ul>
      {profiles.length >= PROFILES_MAX && managing && <p className="muted">{words.full}</p>}
      <button type="button" className="button" onClick={() => setManaging(!managing)}>
        {managing ? words.done : words.manage}
      </button>
      {editing && (
        <ProfileEditor
          profile={editing === "new" ? undefined : editing}
          last={profiles.length <= 1}
          onSaved={saved}
          onClose={() => setEditing(undefined)}
        />
      )}
    </main>
  );
}

function ProfileButton({ profile, managing, onClick }: { profile: Profile; managing: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      className="profile-card"
      aria-label={managing ? words.edit(profile.name) : undefined}
      onClick={onClick}
    >
      <Avatar name={profile.avatar} seed={profile.name} className="face" />
      {managing && (
        <span className="profile-card__pencil">
          <Icon name="pencil" />
        </span>
      )}
      <span className="profile-card__name">{profile.name}</span>
      {profile.kids && <span className="profile-card__badge">{words.kidsBadge}</span>}
    </button>
  );
}
