/** What a model would have earned where pages explored: three estimates from the log of what was shown. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { modelEstimate } from "@/api/admin-endpoints";
import type { Model, ModelEstimate } from "@/api/types";
import { ListSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { dateTime, number } from "@/lib/format";
import { locale } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { Interval } from "./experiment-figures";
import "@/styles/experiments.css";

const words = adminEn.models.estimate;
/** Plays are told for so many places: those of one are a small fraction. */
const PLACES = 1000;
/** Mean weights outside of this say that the log holds too little, or by chance too much, of what the model would show. */
const COVERED = { least: 0.8, most: 1.25 };
const plays = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, signDisplay: "exceptZero" });

export function Estimate({ model }: { model: Model }) {
  const [open, setOpen] = useState(false);
  const found = useQuery({
    queryKey: ["estimate", model.id],
    queryFn: ({ signal }) => modelEstimate(model.id, signal),
    enabled: open,
    staleTime: 60_000,
  });
  return (
    <>
      <button
        type="button"
        className="button button--small model__estimate"
        aria-expanded={open}
        aria-label={open ? words.close : words.openOf(dateTime(model.created_at))}
        onClick={() => setOpen(!open)}
      >
        {open ? words.close : words.open}
      </button>
      {open && (
        <div aria-live="polite">
          {found.isPending && <ListSkeleton />}
          {found.isError && <ErrorState error={found.error} retry={() => found.refetch()} />}
          {found.data && <Found found={found.data} />}
        </div>
      )}
    </>
  );
}

/** The most robust of the three decides the sentence; all are shown. */
export function verdictOf(found: ModelEstimate): "none" | "more" | "less" | "same" {
  const judge = found.estimates.find(({ method }) => method === "doubly_robust");
  if (!judge) return "none";
  if (judge.lift_low > 0) return "more";
  return judge.lift_high < 0 ? "less" : "same";
}

function Found({ found }: { found: ModelEstimate }) {
  const stands = words.stands(number(found.pages), number(found.viewers), number(found.places));
  const isCovered = found.covered >= COVERED.least && found.covered <= COVERED.most;
  return (
    <div className="finding">
      <p className="finding__verdict">{words.verdicts[verdictOf(found)]}</p>
      <p className="muted small">
        {stands} {found.places > 0 && words.served(plays.format(PLACES * found.served))}
      </p>
      {found.estimates.map(({ method, lift, lift_low, lift_high }) => (
        <Interval
          key={method}
          label={words.methods[method]}
          low={PLACES * lift_low}
          value={PLACES * lift}
          high={PLACES * lift_high}
          middle={0}
          ends={words.ends}
          write={(x) => signed.format(x)}
        />
      ))}
      {found.estimates.length > 0 && !isCovered && <p className="muted small">{words.uncovered}</p>}
      {found.clipped > 0 && <p className="muted small">{words.clipped(number(found.clipped))}</p>}
    </div>
  );
}
