/** A WebSocket of the API that comes back by itself: at once the first time, then after growing, jittered pauses. */

export interface SocketHandlers {
  text: (data: string) => void;
  binary?: (data: ArrayBuffer) => void;
  /** `true` when open, `false` when lost. */
  online?: (open: boolean) => void;
  /** The server refused for good (4401 not signed in, 4403, 4404); no more attempts follow. */
  refused?: (code: number) => void;
  /** Added to the address on every attempt, e.g. to resume. */
  query?: () => Record<string, string>;
}

const FIRST_MS = 100;
const LONGEST_MS = 4000;
/** A socket without any message for this long is taken for dead (ms); the heartbeat of the API is shorter. */
const SILENCE_MS = 15_000;

export class ApiSocket {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempts = 0;
  private heard = 0;
  private closed = false;

  /** `watchSilence`: messages are expected all the time (video), so silence means a dead line. */
  constructor(
    private readonly path: string,
    private readonly handlers: SocketHandlers,
    private readonly watchSilence = false,
  ) {
    this.open();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    for (const [key, value] of Object.entries(this.handlers.query?.() ?? {})) url.searchParams.set(key, value);
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.heard = performance.now();
      this.handlers.online?.(true);
      if (this.watchSilence) this.watch(socket);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.closed) return; // what was on its way when it was closed belongs to nobody
      this.attempts = 0;
      this.heard = performance.now();
      if (typeof event.data === "string") this.handlers.text(event.data);
      else this.handlers.binary?.(event.data);
    };
    socket.onclose = (event) => {
      if (this.closed || this.socket !== socket) return;
      this.handlers.online?.(false);
      if (event.code >= 4400 && event.code < 4500) this.handlers.refused?.(event.code);
      else this.again();
    };
  }

  private again(): void {
    const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.attempts) * (0.75 + Math.random() / 2);
    this.attempts += 1;
    this.timer = setTimeout(() => this.open(), pause);
  }

  private watch(socket: WebSocket): void {
    this.timer = setTimeout(() => {
      if (this.socket !== socket || socket.readyState !== WebSocket.OPEN) return;
      if (performance.now() - this.heard > SILENCE_MS) socket.close();
      this.watch(socket);
    }, 2000);
  }
}
