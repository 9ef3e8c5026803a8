/** Part of the stand-in for TornadoVM's API; see {@link uk.ac.manchester.tornado.api}. */
package uk.ac.manchester.tornado.api.types.vectors;
