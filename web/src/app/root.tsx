/** What stands around every page: skip link, offline banner, messages; and the layout of pages inside the house. */
import { Outlet, useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { onSignedOut, Problem } from "@/api/http";
import { Header } from "@/components/header";
import { OfflineBanner } from "@/components/offline";
import { ErrorState } from "@/components/states";
import { Toasts } from "@/components/toast";
import { wentBack } from "@/lib/navigation";
import { strings } from "@/strings";
import { mustChoose, useMe } from "./session";

export function Root() {
  useSignedOut();
  useFocusAfterNavigation();
  return (
    <>
      <a href="#content" className="skip">
        {strings.app.skip}
      </a>
      <OfflineBanner />
      <Outlet />
      <Toasts />
    </>
  );
}

/** Pages for people who are logged in and have said who is watching. */
export function House() {
  const me = useMe();
  const choosing = me.data !== undefined && mustChoose(me.data);
  useAskWhoIsWatching(choosing);
  const unreachable = me.isError && !(me.error instanceof Problem && me.error.status === 401);
  return (
    <>
      <Header />
      {unreachable ? (
        <main id="content" className="page">
          <ErrorState error={me.error} retry={() => me.refetch()} heading="h1" />
        </main>
      ) : (
        <Outlet />
      )}
    </>
  );
}

/** Once, with the address as it is now: it changes while the new page loads. */
function useAskWhoIsWatching(choosing: boolean) {
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(() => {
    const { href } = router.state.location;
    if (choosing) void navigate({ to: "/profiles", search: { next: href === "/" ? undefined : href }, replace: true });
  }, [choosing, navigate, router]);
}

const open = ["/login", "/register", "/setup"];

/** The server ended the session: back to the door, and afterwards back here. */
function useSignedOut() {
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(
    () =>
      onSignedOut(() => {
        const { pathname, href } = router.state.location;
        if (open.includes(pathname)) return;
        void navigate({ to: "/login", search: { next: href === "/" ? undefined : href }, replace: true });
      }),
    [navigate, router],
  );
}

/** After a link the keyboard starts at the new page's content; after going back the page itself decides. */
function useFocusAfterNavigation() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const first = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = first.current;
    first.current = path;
    if (before === undefined || path === undefined || wentBack()) return;
    const content = document.getElementById("content");
    if (content && !content.contains(document.activeElement)) content.focus({ preventScroll: true });
  }, [path]);
}
