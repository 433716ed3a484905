/** The bar at the top: mark, places to go, and the profile's menu; a tab bar at the foot of phones. */
import { Link, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useActiveProfile, useLeave, useMe } from "@/app/session";
import { strings } from "@/strings";
import { Avatar } from "./avatar";
import { Icon, type IconName } from "./icons";
import { Mark } from "./mark";

const places = [
  { to: "/", icon: "home", label: strings.nav.home },
  { to: "/browse", icon: "browse", label: strings.nav.browse },
  { to: "/search", icon: "search", label: strings.nav.search },
  { to: "/my-list", icon: "list", label: strings.nav.myList },
] as const satisfies { to: string; icon: IconName; label: string }[];

export function Header() {
  const scrolled = useScrolled();
  return (
    <>
      <header className="header" data-scrolled={scrolled}>
        <Link to="/" className="brand">
          <Mark />
          {strings.app.name}
        </Link>
        <nav aria-label={strings.nav.label}>
          <Places />
        </nav>
        <div className="header__end">
          <ProfileMenu />
        </div>
      </header>
      <nav className="tabbar" aria-label={strings.nav.label}>
        <Places />
      </nav>
    </>
  );
}

function Places() {
  return places.map((place) => (
    <Link
      key={place.to}
      to={place.to}
      className="nav-link"
      activeOptions={{ exact: place.to === "/", includeSearch: false }}
    >
      <Icon name={place.icon} />
      {place.label}
    </Link>
  ));
}

function useScrolled(): boolean {
  const [scrolled, setScrolled] = useState(false);
  useEffect(() => {
    const measure = () => setScrolled(window.scrollY > 24);
    measure();
    window.addEventListener("scroll", measure, { passive: true });
    return () => window.removeEventListener("scroll", measure);
  }, []);
  return scrolled;
}

/** A disclosure, not an ARIA menu: its items are plain links and buttons in reading order. */
function ProfileMenu() {
  const { data: me } = useMe();
  const profile = useActiveProfile();
  const leave = useLeave();
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new address closes the menu, whatever it is.
  useEffect(() => setOpen(false), [path]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => !menu.current?.contains(event.target as Node) && setOpen(false);
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("keydown", onEscape);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("keydown", onEscape);
    };
  }, [open]);
  if (!me || !profile) return <span className="avatar skeleton" />;
  const words = strings.nav;
  return (
    <div className="menu" ref={menu}>
      <button
        type="button"
        ref={button}
        className="menu__button"
        aria-expanded={open}
        aria-label={words.account(profile.name)}
        onClick={() => setOpen(!open)}
      >
        <Avatar name={profile.avatar} seed={profile.name} />
      </button>
      {open && (
        <div className="menu__panel">
          <Link to="/profile" className="menu__item">
            <Icon name="user" /> {words.profile}
          </Link>
          <Link to="/profiles" className="menu__item">
            <Icon name="swap" /> {words.switchProfile}
          </Link>
          {me.account.role !== "viewer" && (
            <Link to="/admin" className="menu__item">
              <Icon name="desk" /> {words.curate}
            </Link>
          )}
          <div className="menu__rule" />
          <button type="button" className="menu__item" onClick={() => leave()}>
            <Icon name="out" /> {words.logOut}
          </button>
        </div>
      )}
    </div>
  );
}
