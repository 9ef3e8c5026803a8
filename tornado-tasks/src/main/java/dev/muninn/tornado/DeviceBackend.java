package dev.muninn.tornado;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.LatentRows;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** A model on a device, and what of its memory is taken. */
final class DeviceBackend implements Backend {
  private final ComputeDevice device;
  private final RecurrentModel described;
  private final DeviceThread thread;
  private final DeviceMemory memory;
  private final DeviceModel model;
  private final int context;
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
    this.described = described;
    memory =
        DeviceMemory.of(
            device.toString(),
            tornadoDevice.getMaxGlobalMemory(),
            tornadoDevice.getMaxAllocMemory(),
            described,
            DeviceModel.MOST_ROWS);
    DeviceSizes sizes = memory.sizes();
    context = sizes.context();
    thread = new DeviceThread(device.toString());
    try {
      model =
          thread.call(() -> {
            SelfTest.run(tornadoDevice, schedule);
            return new DeviceModel(described, checkpoint, tornadoDevice, schedule, sizes);
          });
    } catch (RuntimeException | Error e) {
      thread.close();
      throw e;
    }
    slots = new RegionAllocator(sizes.rowSlots());
    outerUnits = new RegionAllocator(sizes.outerUnits());
    recurrentUnits = new RegionAllocator(sizes.recurrentUnits());
  }

  @Override
  public ComputeDevice device() {
    return device;
  }

  @Override
  public String description() {
    return Backends.TORNADO + ", " + device;
  }

  /** Nanoseconds that building and compiling the graphs and the upload took. */
  long prepareNanos() {
    return model.prepareNanos();
  }

  /** Bytes that the model takes on the device. */
  long deviceBytes() {
    return thread.call(model::deviceBytes);
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
