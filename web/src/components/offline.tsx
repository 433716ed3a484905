/** Says when the line is gone, and when it is back. */
import { useEffect, useSyncExternalStore } from "react";
import { strings } from "@/strings";
import { showToast } from "./toast";

let wasOffline = false;

function subscribe(listener: () => void) {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

export function OfflineBanner() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  useEffect(() => {
    if (online && wasOffline) showToast(strings.app.backOnline);
    wasOffline = !online;
  }, [online]);
  return <div role="status">{!online && <p className="offline">{strings.app.offline}</p>}</div>;
}
