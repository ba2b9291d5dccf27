/** The horseshoe and the name. */
export function Brand({ large = false }: { large?: boolean }) {
  return (
    <span className={`inline-flex items-center ${large ? "gap-3" : "gap-2.5"}`}>
      <svg viewBox="0 0 32 32" width={large ? 40 : 30} height={large ? 40 : 30} aria-hidden="true">
        <path d="M7.50 26.50V14.50a8.50 8.50 0 0 1 17 0v12" fill="none" stroke="#e6b357" strokeWidth="5" strokeLinecap="round" />
        <g fill="#14110f">
          <circle cx="7.50" cy="20" r="1.15" />
          <circle cx="24.50" cy="20" r="1.15" />
          <circle cx="9.40" cy="10.90" r="1.15" />
          <circle cx="22.60" cy="10.90" r="1.15" />
          <circle cx="16" cy="6.30" r="1.15" />
        </g>
      </svg>
      <span className={`font-display font-semibold tracking-tight ${large ? "text-3xl" : "text-xl"}`}>
        Barn<span className="text-hay">Hand</span>
      </span>
    </span>
  );
}
