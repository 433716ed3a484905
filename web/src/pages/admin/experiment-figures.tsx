/** What an experiment says in figures: the interval drawn, the arms' means. */
import type { ExperimentDifference, ExperimentPreference, ExperimentWithResults } from "@/api/types";
import { number } from "@/lib/format";
import { locale } from "@/strings";
import { experimentsEn as words } from "@/strings/experiments-en";

const mean = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 3 });
const signed = new Intl.NumberFormat(locale, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 3,
  signDisplay: "exceptZero",
});
const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });

/** Where low, value, high and the middle stand on a line of 0 to 1 whose middle is "no difference". */
export function scaleOf(low: number, value: number, high: number, middle: number) {
  const reach = Math.max(Math.abs(low - middle), Math.abs(high - middle), Number.EPSILON) * 1.1;
  const at = (x: number) => Math.min(1, Math.max(0, 0.5 + (x - middle) / (2 * reach)));
  return { low: at(low), value: at(value), high: at(high) };
}

export function ExperimentFigures({ found }: { found: ExperimentWithResults }) {
  const { preference, difference } = found;
  const [first = "", second = ""] = found.arms.map((arm) => arm.name);
  return (
    <>
      {difference && (
        <Difference found={difference} label={words.difference(words.metrics[difference.metric], first, second)} />
      )}
      {found.guard_differences.map((guard) => (
        <Difference key={guard.metric} found={guard} label={words.guardDifference(words.metrics[guard.metric])} />
      ))}
      {preference && <Preference found={preference} name={second} />}
      <dl className="measures">
        {preference ? (
          <>
            <Measure name={words.prefer(first)} value={number(preference.first)} />
            <Measure name={words.prefer(second)} value={number(preference.second)} />
            <Measure name={words.ties} value={number(preference.ties)} />
          </>
        ) : (
          found.results.map((arm) => (
            <Measure
              key={arm.name}
              name={words.arm(arm.name, number(arm.viewers))}
              value={words.perViewer(
                arm.means.map((it) => `${mean.format(it.value)} ${words.metrics[it.metric]}`).join(", "),
              )}
            />
          ))
        )}
        <Measure name={words.waiting} value={number(found.waiting)} />
      </dl>
    </>
  );
}

function Preference({ found, name }: { found: ExperimentPreference; name: string }) {
  const { share: value, low, high } = found;
  if (typeof value !== "number" || typeof low !== "number" || typeof high !== "number") return null;
  return (
    <Interval
      label={words.preference(name)}
      low={low}
      value={value}
      high={high}
      middle={0.5}
      ends={words.preferenceEnds}
      write={(x) => share.format(x)}
    />
  );
}

function Difference({ found, label }: { found: ExperimentDifference; label: string }) {
  return (
    <Interval
      label={label}
      low={found.low}
      value={found.value}
      high={found.high}
      middle={0}
      ends={words.differenceEnds}
      write={(x) => signed.format(x)}
      note={words.certainty(share.format(1 - found.alpha), found.p_value)}
    />
  );
}

interface IntervalProps {
  label: string;
  low: number;
  value: number;
  high: number;
  middle: number;
  /** What the left, the middle and the right of the line mean. */
  ends: string[];
  write: (x: number) => string;
  note?: string;
}

export function Interval({ label, low, value, high, middle, ends, write, note }: IntervalProps) {
  const at = scaleOf(low, value, high, middle);
  const side = low > middle ? "above" : high < middle ? "below" : "across";
  const place = (share: number) => `${(100 * share).toFixed(2)}%`;
  const summary = words.interval(label, write(value), write(low), write(high));
  return (
    <figure className="interval">
      <figcaption>
        {label} <strong>{write(value)}</strong>{" "}
        <span className="muted small">{words.fromTo(write(low), write(high))}</span>
      </figcaption>
      <div className="interval__line" role="img" aria-label={summary}>
        <span className="interval__middle" />
        <span
          className={`interval__bar interval__bar--${side}`}
          style={{ insetInlineStart: place(at.low), inlineSize: place(at.high - at.low) }}
        />
        <span className="interval__value" style={{ insetInlineStart: place(at.value) }} />
      </div>
      <div className="interval__ends muted small" aria-hidden="true">
        {ends.map((end) => (
          <span key={end}>{end}</span>
        ))}
      </div>
      {note && <p className="muted small">{note}</p>}
    </figure>
  );
}

function Measure({ name, value }: { name: string; value: string }) {
  return (
    <div className="measure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
