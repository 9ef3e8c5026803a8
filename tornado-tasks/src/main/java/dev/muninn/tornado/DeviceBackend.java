package dev.muninn.tornado;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.KernelTime;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.OpeningTimes;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** A model on a device, and what of its memory is taken. */
final class DeviceBackend implements Backend {
  /** How long a kernel is timed. */
  private static final long KERNEL_NANOS = 50_000_000;

  private final ComputeDevice device;
  private final TornadoDevice tornadoDevice;
  private final Checkpoint checkpoint;
  private final RecurrentModel described;
  private final DeviceThread thread;
  private final DeviceMemory memory;
  private final DeviceModel model;
  private final int context;

  /** As asked for, or without what fails on the device. */
  private volatile Schedule schedule;

  private volatile boolean captures;

  /** What the device might do and the runtime does not, for people. */
  private volatile String limits = "";

  private final RegionAllocator slots;
  private final RegionAllocator outerUnits;
  private final RegionAllocator recurrentUnits;

  DeviceBackend(
      ComputeDevice device,
      TornadoDevice tornadoDevice,
      RecurrentModel described,
      Checkpoint checkpoint,
      Schedule schedule) {
    this.device = device;
    this.tornadoDevice = tornadoDevice;
    this.checkpoint = checkpoint;
    this.described = described;
    memory =
        DeviceMemory.of(
            device.toString(),
            tornadoDevice.getMaxGlobalMemory(),
            tornadoDevice.getMaxAllocMemory(),
            described,
            schedule.mostRows(tornadoDevice));
    DeviceSizes sizes = memory.sizes();
    context = sizes.context();
    thread = new DeviceThread(device.toString());
    try {
      model =
          thread.call(() -> {
            SelfTest.Outcome outcome = SelfTest.run(tornadoDevice, schedule);
            this.schedule = outcome.schedule();
            limits = outcome.limits();
            return load(sizes);
          });
    } catch (RuntimeException | Error e) {
      thread.close();
      throw e;
    }
    slots = new RegionAllocator(sizes.rowSlots());
    outerUnits = new RegionAllocator(sizes.outerUnits());
    recurrentUnits = new RegionAllocator(sizes.recurrentUnits());
  }

  /** With captured graphs where the device has them and the runtime manages to. */
  private DeviceModel load(DeviceSizes sizes) {
    if (capturesGraphs(tornadoDevice)) {
      try {
        DeviceModel captured =
            new DeviceModel(described, checkpoint, tornadoDevice, schedule, sizes, true);
        captures = true;
        return captured;
      } catch (VirtualMachineError e) {
        throw e;
      } catch (RuntimeException | Error e) {
        limits += ", without captured graphs (" + DeviceThread.firstLine(e) + ")";
      }
    }
    return new DeviceModel(described, checkpoint, tornadoDevice, schedule, sizes, false);
  }

  private static boolean capturesGraphs(TornadoDevice device) {
    TornadoVMBackendType type = device.getTornadoVMBackend();
    return type == TornadoVMBackendType.CUDA || type == TornadoVMBackendType.PTX;
  }

  @Override
  public ComputeDevice device() {
    return device;
  }

  @Override
  public String description() {
    return Backends.TORNADO + ", " + device + limits;
  }

  @Override
  public Optional<OpeningTimes> openingTimes() {
    return Optional.of(model.openingTimes());
  }

  @Override
  public DeviceLimits measureLimits() {
    return thread.call(() -> DeviceProbe.of(tornadoDevice, schedule).measure());
  }

  @Override
  public List<KernelTime> measureKernels(List<Integer> rows) {
    return thread.call(() -> {
      try (KernelTimer timer =
          new KernelTimer(described, checkpoint, tornadoDevice, schedule, captures, KERNEL_NANOS)) {
        return timer.measure(rows);
      }
    });
  }

  /** Bytes that the model takes on the device. */
  long deviceBytes() {
    return thread.call(model::deviceBytes);
  }

  /** Executions of graphs so far. */
  long executions() {
    return thread.call(model::executions);
  }

  /** Tasks that one application of the recurrent block is made of. */
  int tasksOfRecurrence() {
    return model.tasksOfRecurrence();
  }

  @Override
  public KeyValueStore allocate(KeyValueLayout layout) {
    memory.requireContext(layout.capacity());
    return new TornadoStore(layout, outerUnits, recurrentUnits, memory);
  }

  @Override
  public LatentRows rows(int capacity) {
    int first = slots.take(capacity);
    if (first < 0) {
      throw new BackendException(
          device
              + " has "
              + slots.largest()
              + " row slots left, not "
              + capacity
              + ": fewer sequences or a shorter prompt at once take less");
    }
    return new TornadoRows(described, context, thread, model, first, capacity) {
      private boolean closed;

      @Override
      public void close() {
        if (!closed) {
          closed = true;
          thread.run(() -> model.dropLogits(this));
          slots.give(first, capacity);
        }
      }
    };
  }

  @Override
  public void close() {
    thread.run(model::close);
    thread.close();
  }
}
