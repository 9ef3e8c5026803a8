package dev.muninn.tornado;

import dev.muninn.tornado.kernel.AttentionKernels;
import dev.muninn.tornado.kernel.ProductKernels;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/**
 * How items of work are laid on a device.
 *
 * @param lanes work-items that share an output of a product or a part of attention: 1, or a power
 *     of two
 * @param warps whether these are a warp that sums registers, and the device converts BF16 and F16
 * @param tensors whether warps have tensor cores for products of many rows
 */
record Schedule(int lanes, boolean warps, boolean tensors) {
  private static final int GPU_LANES = AttentionKernels.WARP;

  /**
   * OpenCL's compiler may fuse a product with a sum, and nothing else: relaxed math, the runtime's
   * default, lost accuracy and gained no time where it was measured.
   */
  private static final String OPENCL_FLAGS = "-cl-mad-enable -w";

  private static final String UNOPTIMIZED = " -cl-opt-disable";

  private static final int EMULATED_ROWS = 32;

  Schedule {
    if (Integer.bitCount(lanes) != 1) {
      throw new IllegalArgumentException("lanes must be a power of two, not " + lanes);
    }
    if (tensors && !warps) {
      throw new IllegalArgumentException("tensor cores take warps");
    }
    if (warps && lanes != GPU_LANES) {
      throw new IllegalArgumentException("a warp has " + GPU_LANES + " lanes, not " + lanes);
    }
  }

  /** Lanes without warps. */
  Schedule(int lanes) {
    this(lanes, false, false);
  }

  /**
   * An item a work-item on a CPU, whose cores have no use for more; elsewhere a warp, or as many
   * work-items. Only CUDA's kernels sum over a warp, convert BF16 and F16, and reach tensor cores.
   */
  static Schedule of(TornadoDevice device) {
    boolean cuda = device.getTornadoVMBackend() == TornadoVMBackendType.CUDA;
    return device.getDeviceType() == TornadoDeviceType.CPU
        ? new Schedule(1)
        : new Schedule(GPU_LANES, cuda, cuda);
  }

  /** The same without tensor cores. */
  Schedule withoutTensors() {
    return new Schedule(lanes, warps, false);
  }

  /** Whether a CPU stands for a GPU, which only tests ask for. */
  private boolean emulated(TornadoDevice device) {
    return lanes > 1 && device.getDeviceType() == TornadoDeviceType.CPU;
  }

  /**
   * What OpenCL's compiler is told. PoCL 3.1 optimizes eight sums of a work-item into wrong ones
   * where it stands for a GPU.
   */
  String openclFlags(TornadoDevice device) {
    return OPENCL_FLAGS + (emulated(device) ? UNOPTIMIZED : "");
  }

  /**
   * Most rows of an execution. There are work-items for all of them, whatever their number, and a
   * CPU that stands for a GPU starts them one after the other.
   */
  int mostRows(TornadoDevice device) {
    return emulated(device) ? EMULATED_ROWS : DeviceModel.MOST_ROWS;
  }

  /** Work-items of a workgroup of several items, and of one that has a whole row: 1 on a CPU. */
  int group() {
    return lanes == 1 ? 1 : ProductKernels.OUTPUTS * lanes;
  }

  /** Lays a task of items with so many lanes each on workgroups of so many work-items. */
  static void lay(GridScheduler grids, String task, int items, int lanes, int group) {
    WorkerGrid grid = new WorkerGrid1D(Math.ceilDiv(items * lanes, group) * group);
    if (group == 1) {
      grid.setLocalWorkToNull();
    } else {
      grid.setLocalWork(group, 1, 1);
    }
    grids.addWorkerGrid(task, grid);
  }
}
