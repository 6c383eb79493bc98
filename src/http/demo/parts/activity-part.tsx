import type { ActivityView } from '../views.ts';

/** What happened lately to the user's sessions, newest first, and by whom: what nobody did themselves stands out here. */
export function ActivityPart({
  activity,
}: {
  readonly activity: readonly ActivityView[] | 'unreadable';
}) {
  return (
    <section aria-labelledby="activity-heading">
      <h2 id="activity-heading">Recent activity</h2>
      <div data-part="activity">
        {activity === 'unreadable' ? (
          <p class="hint">It cannot be read now. Your sessions are not affected.</p>
        ) : (
          <ul class="devices" aria-labelledby="activity-heading">
            {activity.map(({ what, at, isLatest, device }) => (
              <li>
                <div>
                  <strong>{what}</strong>
                  <p class="hint">
                    {device && `${device}, `}
                    {isLatest && 'by '}
                    <time datetime={new Date(at).toISOString()}>{readable(at)}</time>
                  </p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** `2026-04-02 12:34:56 UTC`. */
function readable(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
