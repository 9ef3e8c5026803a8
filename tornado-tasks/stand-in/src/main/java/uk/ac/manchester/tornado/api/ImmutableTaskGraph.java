package uk.ac.manchester.tornado.api;

/** A graph that can be executed. */
public class ImmutableTaskGraph {
  final TaskGraph graph;

  ImmutableTaskGraph(TaskGraph graph) {
    this.graph = graph;
  }
}
