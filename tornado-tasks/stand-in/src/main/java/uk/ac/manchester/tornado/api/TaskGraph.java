package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task10;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task11;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task12;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task13;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task14;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task15;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task16;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task17;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task18;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task19;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task20;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task3;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task4;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task5;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task6;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task7;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task8;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task9;

/** Tasks one after the other, and which arrays travel when. */
public class TaskGraph {
  final String name;
  final List<Task> tasks = new ArrayList<>();
  final List<Transfer> toDevice = new ArrayList<>();
  final List<Transfer> toHost = new ArrayList<>();

  /**
   * A kernel with its arguments.
   *
   * @param kernel calls it with arguments in the place of these
   */
  record Task(String id, Object[] arguments, Consumer<Object[]> kernel) {}

  /** An array and when it travels. */
  record Transfer(int mode, Object array) {}

  /** An empty graph. */
  public TaskGraph(String name) {
    this.name = name;
  }

  /** Arrays that travel to the device. */
  public TaskGraph transferToDevice(int mode, Object... objects) {
    for (Object array : objects) {
      toDevice.add(new Transfer(mode, array));
    }
    return this;
  }

  /** Arrays that are on the device already. */
  public TaskGraph consumeFromDevice(Object... objects) {
    return this;
  }

  /** Arrays that travel back. */
  public TaskGraph transferToHost(int mode, Object... objects) {
    for (Object array : objects) {
      toHost.add(new Transfer(mode, array));
    }
    return this;
  }

  /** The graph, to be executed. */
  public ImmutableTaskGraph snapshot() {
    return new ImmutableTaskGraph(this);
  }

  private TaskGraph add(String id, Consumer<Object[]> kernel, Object... arguments) {
    tasks.add(new Task(id, arguments, kernel));
    return this;
  }

  @SuppressWarnings("unchecked")
  private static <T> T argument(Object[] arguments, int index) {
    return (T) arguments[index];
  }

  /** Adds a task of 3 arguments. */
  public <T1, T2, T3> TaskGraph task(String id, Task3<T1, T2, T3> code, T1 arg1, T2 arg2, T3 arg3) {
    return add(
        id, a -> code.apply(argument(a, 0), argument(a, 1), argument(a, 2)), arg1, arg2, arg3);
  }

  /** Adds a task of 4 arguments. */
  public <T1, T2, T3, T4> TaskGraph task(
      String id, Task4<T1, T2, T3, T4> code, T1 arg1, T2 arg2, T3 arg3, T4 arg4) {
    return add(
        id,
        a -> code.apply(argument(a, 0), argument(a, 1), argument(a, 2), argument(a, 3)),
        arg1,
        arg2,
        arg3,
        arg4);
  }

  /** Adds a task of 5 arguments. */
  public <T1, T2, T3, T4, T5> TaskGraph task(
      String id, Task5<T1, T2, T3, T4, T5> code, T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0), argument(a, 1), argument(a, 2), argument(a, 3), argument(a, 4)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5);
  }

  /** Adds a task of 6 arguments. */
  public <T1, T2, T3, T4, T5, T6> TaskGraph task(
      String id,
      Task6<T1, T2, T3, T4, T5, T6> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6);
  }

  /** Adds a task of 7 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7> TaskGraph task(
      String id,
      Task7<T1, T2, T3, T4, T5, T6, T7> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7);
  }

  /** Adds a task of 8 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8> TaskGraph task(
      String id,
      Task8<T1, T2, T3, T4, T5, T6, T7, T8> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8);
  }

  /** Adds a task of 9 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9> TaskGraph task(
      String id,
      Task9<T1, T2, T3, T4, T5, T6, T7, T8, T9> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9);
  }

  /** Adds a task of 10 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> TaskGraph task(
      String id,
      Task10<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10);
  }

  /** Adds a task of 11 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> TaskGraph task(
      String id,
      Task11<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11);
  }

  /** Adds a task of 12 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> TaskGraph task(
      String id,
      Task12<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12);
  }

  /** Adds a task of 13 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> TaskGraph task(
      String id,
      Task13<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13);
  }

  /** Adds a task of 14 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14> TaskGraph task(
      String id,
      Task14<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14);
  }

  /** Adds a task of 15 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15> TaskGraph task(
      String id,
      Task15<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14,
      T15 arg15) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15);
  }

  /** Adds a task of 16 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16> TaskGraph task(
      String id,
      Task16<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14,
      T15 arg15,
      T16 arg16) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14),
                argument(a, 15)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15,
        arg16);
  }

  /** Adds a task of 17 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17>
      TaskGraph task(
          String id,
          Task17<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17> code,
          T1 arg1,
          T2 arg2,
          T3 arg3,
          T4 arg4,
          T5 arg5,
          T6 arg6,
          T7 arg7,
          T8 arg8,
          T9 arg9,
          T10 arg10,
          T11 arg11,
          T12 arg12,
          T13 arg13,
          T14 arg14,
          T15 arg15,
          T16 arg16,
          T17 arg17) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14),
                argument(a, 15),
                argument(a, 16)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15,
        arg16,
        arg17);
  }

  /** Adds a task of 18 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18>
      TaskGraph task(
          String id,
          Task18<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18>
              code,
          T1 arg1,
          T2 arg2,
          T3 arg3,
          T4 arg4,
          T5 arg5,
          T6 arg6,
          T7 arg7,
          T8 arg8,
          T9 arg9,
          T10 arg10,
          T11 arg11,
          T12 arg12,
          T13 arg13,
          T14 arg14,
          T15 arg15,
          T16 arg16,
          T17 arg17,
          T18 arg18) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14),
                argument(a, 15),
                argument(a, 16),
                argument(a, 17)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15,
        arg16,
        arg17,
        arg18);
  }

  /** Adds a task of 19 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18, T19>
      TaskGraph task(
          String id,
          Task19<
                  T1,
                  T2,
                  T3,
                  T4,
                  T5,
                  T6,
                  T7,
                  T8,
                  T9,
                  T10,
                  T11,
                  T12,
                  T13,
                  T14,
                  T15,
                  T16,
                  T17,
                  T18,
                  T19>
              code,
          T1 arg1,
          T2 arg2,
          T3 arg3,
          T4 arg4,
          T5 arg5,
          T6 arg6,
          T7 arg7,
          T8 arg8,
          T9 arg9,
          T10 arg10,
          T11 arg11,
          T12 arg12,
          T13 arg13,
          T14 arg14,
          T15 arg15,
          T16 arg16,
          T17 arg17,
          T18 arg18,
          T19 arg19) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14),
                argument(a, 15),
                argument(a, 16),
                argument(a, 17),
                argument(a, 18)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15,
        arg16,
        arg17,
        arg18,
        arg19);
  }

  /** Adds a task of 20 arguments. */
  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18, T19, T20>
      TaskGraph task(
          String id,
          Task20<
                  T1,
                  T2,
                  T3,
                  T4,
                  T5,
                  T6,
                  T7,
                  T8,
                  T9,
                  T10,
                  T11,
                  T12,
                  T13,
                  T14,
                  T15,
                  T16,
                  T17,
                  T18,
                  T19,
                  T20>
              code,
          T1 arg1,
          T2 arg2,
          T3 arg3,
          T4 arg4,
          T5 arg5,
          T6 arg6,
          T7 arg7,
          T8 arg8,
          T9 arg9,
          T10 arg10,
          T11 arg11,
          T12 arg12,
          T13 arg13,
          T14 arg14,
          T15 arg15,
          T16 arg16,
          T17 arg17,
          T18 arg18,
          T19 arg19,
          T20 arg20) {
    return add(
        id,
        a ->
            code.apply(
                argument(a, 0),
                argument(a, 1),
                argument(a, 2),
                argument(a, 3),
                argument(a, 4),
                argument(a, 5),
                argument(a, 6),
                argument(a, 7),
                argument(a, 8),
                argument(a, 9),
                argument(a, 10),
                argument(a, 11),
                argument(a, 12),
                argument(a, 13),
                argument(a, 14),
                argument(a, 15),
                argument(a, 16),
                argument(a, 17),
                argument(a, 18),
                argument(a, 19)),
        arg1,
        arg2,
        arg3,
        arg4,
        arg5,
        arg6,
        arg7,
        arg8,
        arg9,
        arg10,
        arg11,
        arg12,
        arg13,
        arg14,
        arg15,
        arg16,
        arg17,
        arg18,
        arg19,
        arg20);
  }
}
