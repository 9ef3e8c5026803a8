/**
 * What {@code muninn trace} makes of a trace: the shape of each trajectory, tables, figures and a
 * report.
 */
package dev.muninn.cli.trace;
