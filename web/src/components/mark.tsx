/** The mark: a deck of cards fanning out, as the Kinora of 1900 flipped them. */

const FAN = [
  { turn: -38, opacity: 0.28 },
  { turn: -14, opacity: 0.45 },
  { turn: 10, opacity: 0.7 },
  { turn: 34, opacity: 1 },
];

export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <g className="deck" fill="#f2b347">
        {FAN.map(({ turn, opacity }) => (
          <rect
            key={turn}
            x="11"
            y="4"
            width="10"
            height="17.5"
            rx="2"
            opacity={opacity}
            style={{ transformOrigin: "16px 27px", transform: `rotate(${turn}deg)` }}
          />
        ))}
      </g>
    </svg>
  );
}
