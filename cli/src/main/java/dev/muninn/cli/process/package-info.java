/** How the process starts, is interrupted and ends. */
package dev.muninn.cli.process;
