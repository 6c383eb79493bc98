import type { DeviceView } from '../views.ts';

/** The user's sessions on all devices; each can be ended, and all of them at once. */
export function DevicesPart({
  devices,
  older,
}: {
  readonly devices: readonly DeviceView[];
  readonly older: number;
}) {
  return (
    <section aria-labelledby="devices-heading">
      <h2 id="devices-heading">Your sessions</h2>
      <p class="hint">
        The demo asks for no password: whoever starts a session under the same name is the same
        user.
      </p>
      <div data-part="devices">
        <ul class="devices">
          {devices.map((device) => (
            <li>
              <div>
                <strong>{device.label}</strong>
                {device.current && <span class="tag">this one</span>}
                <p class="hint">
                  started {readable(device.createdAt)}, last used {readable(device.lastAccessedAt)}
                </p>
              </div>
              {!device.current && (
                <form method="post" action="/sessions/end" data-says="That session has ended.">
                  <input type="hidden" name="id" value={device.id} />
                  <button id={`end-${device.id}`} type="submit">
                    End<span class="visually-hidden"> {device.label}</span>
                  </button>
                </form>
              )}
            </li>
          ))}
        </ul>
        {older > 0 && <p class="hint">and {older} older</p>}
      </div>
      <form method="post" action="/logout-everywhere" data-says="Logged out everywhere.">
        <button id="logout-everywhere" type="submit">
          Log out everywhere
        </button>
      </form>
    </section>
  );
}

/** `2026-04-02 12:34:56 UTC`. */
function readable(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')} UTC`;
}
