package uk.ac.manchester.tornado.api.enums;

/** What tensor cores multiply at once: rows, outputs and columns. */
public enum MMAShape {
  /** 16 rows by 8 outputs of 16 columns. */
  M16N8K16
}
