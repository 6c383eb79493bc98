import type { DeviceView, PageView } from '../views.ts';
import { DeviceIcon } from './device-icon.tsx';
import { Moment } from './moment.tsx';

/** The user's sessions on all devices; each can be ended, and all of them at once. */
export function DevicesPart({ devices, olderDevices, root, now }: PageView) {
  return (
    <section class="panel people" aria-labelledby="devices-heading">
      <div class="head">
        <h2 id="devices-heading">Your sessions</h2>
        <form method="post" action={`${root}logout-everywhere`} data-says="Logged out everywhere.">
          <button id="logout-everywhere" type="submit">
            Log out everywhere
          </button>
        </form>
      </div>
      <div data-part="devices">
        <ul class="devices">
          {devices.map((device) => (
            <Device device={device} root={root} now={now} />
          ))}
        </ul>
        {olderDevices > 0 && <p class="hint">and {olderDevices} older</p>}
      </div>
      <p class="hint">
        The demo asks for no password: everybody who gives the same name is the same user.
      </p>
    </section>
  );
}

interface DeviceProps extends Pick<PageView, 'root' | 'now'> {
  readonly device: DeviceView;
}

function Device({ device, root, now }: DeviceProps) {
  return (
    <li>
      <DeviceIcon label={device.label} />
      <div>
        <strong>{device.label}</strong>
        {device.current && <span class="tag">This browser</span>}
        <p class="hint">
          last used <Moment at={device.lastAccessedAt} now={now} />, started{' '}
          <Moment at={device.createdAt} now={now} />
        </p>
      </div>
      {!device.current && (
        <form method="post" action={`${root}sessions/end`} data-says="That session has ended.">
          <input type="hidden" name="id" value={device.id} />
          <button id={`end-${device.id}`} type="submit" class="small">
            End<span class="visually-hidden"> {device.label}</span>
          </button>
        </form>
      )}
    </li>
  );
}
