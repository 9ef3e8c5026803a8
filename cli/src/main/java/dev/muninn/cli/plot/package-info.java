/** Charts that commands draw to files. */
package dev.muninn.cli.plot;
