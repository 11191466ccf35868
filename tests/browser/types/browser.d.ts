// What some browsers have and TypeScript does not know of.

interface Navigator {
  readonly deviceMemory?: number;
}

interface WorkerNavigator {
  readonly deviceMemory?: number;
}

interface GPUAdapter {
  /** Before it moved to `info`. */
  readonly isFallbackAdapter?: boolean;
}
