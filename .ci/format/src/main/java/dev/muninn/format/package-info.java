/** The check of the source format that the build runs. */
package dev.muninn.format;
