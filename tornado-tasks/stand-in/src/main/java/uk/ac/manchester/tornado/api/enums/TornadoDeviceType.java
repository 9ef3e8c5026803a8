package uk.ac.manchester.tornado.api.enums;

/** Kinds of devices. */
public enum TornadoDeviceType {
  CPU,
  GPU,
  ACCELERATOR
}
