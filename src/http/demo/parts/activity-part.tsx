import type { ActivityView } from '../views.ts';
import { Moment } from './moment.tsx';

interface ActivityProps {
  readonly activity: readonly ActivityView[] | 'unreadable';
  readonly now: number;
}

/** What happened lately to the user's sessions, newest first, and by whom: what nobody did themselves stands out here. */
export function ActivityPart({ activity, now }: ActivityProps) {
  return (
    <section class="panel people" aria-labelledby="activity-heading">
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
                    {isLatest && 'at the latest '}
                    <Moment at={at} now={now} />
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
