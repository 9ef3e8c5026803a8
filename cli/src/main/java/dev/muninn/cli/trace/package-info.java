/**
 * The output of {@code muninn trace}: the shape of each trajectory, tables, figures and a report.
 */
package dev.muninn.cli.trace;
