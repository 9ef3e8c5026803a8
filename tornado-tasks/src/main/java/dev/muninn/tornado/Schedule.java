package dev.muninn.tornado;

import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;

/**
 * How items of work are laid on a device.
 *
 * @param lanes work-items that share an item: 1, or a power of two
 */
record Schedule(int lanes) {
  private static final int GPU_LANES = 64;

  Schedule {
    if (Integer.bitCount(lanes) != 1) {
      throw new IllegalArgumentException("lanes must be a power of two, not " + lanes);
    }
  }

  /** An item a work-item on a CPU, whose cores have no use for more; a workgroup elsewhere. */
  static Schedule of(TornadoDeviceType type) {
    return new Schedule(type == TornadoDeviceType.CPU ? 1 : GPU_LANES);
  }

  /** Lays a task of so many items. */
  void lay(GridScheduler grids, String task, int items) {
    WorkerGrid grid = new WorkerGrid1D(items * lanes);
    if (lanes == 1) {
      grid.setLocalWorkToNull();
    } else {
      grid.setLocalWork(lanes, 1, 1);
    }
    grids.addWorkerGrid(task, grid);
  }
}
