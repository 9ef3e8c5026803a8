package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LocalVariable;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import uk.ac.manchester.tornado.api.KernelContext;

/** What Java allows and devices do not, found in the compiled classes of kernels. */
class KernelRulesTest {
  static final List<Class<?>> KERNELS =
      List.of(
          AttentionKernels.class,
          CompareKernels.class,
          HeadAttention.class,
          JoinKernels.class,
          ProbeKernels.class,
          ProductKernels.class,
          SlotKernels.class,
          TurnKernels.class);

  /** With the kernels, all that kernels call. */
  static final List<Class<?>> CLASSES =
      List.of(
          AttentionKernels.class,
          CompareKernels.class,
          HeadAttention.class,
          JoinKernels.class,
          ProbeKernels.class,
          ProductKernels.class,
          SlotKernels.class,
          TurnKernels.class,
          TensorKernels.class,
          TileKernels.class,
          Lanes.class,
          CacheFormat.class,
          WeightFormat.class);

  /**
   * Functions that CUDA's and OpenCL's headers declare, in their own words: a kernel of that name
   * does not compile. Those for other types (normf, __norm) cannot be Java's names of kernels here.
   */
  private static final Set<String> BUILTINS =
      Set.of(
          ("abs acos acosh acospi add_sat all any asin asinh asinpi atan atan2 atan2pi atanh atanpi"
                  + " atomicAdd atomicCAS atomicExch atomicMax atomicMin atomic_add atomic_inc"
                  + " barrier bitselect brev cbrt ceil clamp clz copysign cos cosh cospi cross"
                  + " cyl_bessel_i0 cyl_bessel_i1 degrees distance dot erf erfc erfcinv erfcx"
                  + " erfinv exp exp10 exp2 expm1 fabs fast_distance fast_length fast_normalize"
                  + " fdim fdivide floor fma fmax fmin fmod fract free frexp get_global_id hadd"
                  + " hypot ilogb isequal isfinite isinf isnan isnormal j0 j1 jn ldexp length"
                  + " lgamma lgamma_r llrint llround log log10 log1p log2 logb lrint lround mad"
                  + " mad24 mad_hi mad_sat malloc max maxmag mem_fence memcpy memset min minmag"
                  + " mix modf mul24 mul_hi nan nearbyint nextafter norm norm3d norm4d normalize"
                  + " normcdf normcdfinv popcount pow pown powr prefetch printf radians remainder"
                  + " remquo rhadd rhypot rint rnorm rnorm3d rnorm4d rootn rotate round rsqrt"
                  + " scalbln scalbn select shuffle shuffle2 sign signbit sin sincos sincospi sinh"
                  + " sinpi smoothstep sqrt step sub_sat tan tanh tanpi tgamma trap trunc upsample"
                  + " vload4 vstore4 y0 y1 yn")
              .split(" "));

  /** Words of OpenCL and CUDA, which may be no parameter. */
  private static final Set<String> WORDS =
      Set.of(
          ("auto bool complex constant extern generic global half imaginary image2d_t inline"
                  + " kernel local pipe private quad read_only read_write register restrict sampler"
                  + " signed size_t sizeof struct template typedef uchar uint ulong union unsigned"
                  + " ushort write_only __device__ __global__ __local __shared__")
              .split(" "));

  private static List<Method> kernels() {
    List<Method> kernels = new ArrayList<>();
    for (Class<?> group : KERNELS) {
      for (Method method : group.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers())
            && method.getParameterCount() > 0
            && method.getParameterTypes()[0] == KernelContext.class) {
          kernels.add(method);
        }
      }
    }
    return kernels;
  }

  private static ClassModel model(Class<?> type) throws IOException {
    try (InputStream in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      return ClassFile.of().parse(in.readAllBytes());
    }
  }

  @Test
  void noKernelIsNamedLikeAFunctionOfTheDevice() {
    List<String> names = kernels().stream().map(Method::getName).sorted().toList();
    assertTrue(
        names.containsAll(List.of("attend", "join", "product", "turn", "write")), () -> "" + names);
    for (String name : names) {
      assertFalse(BUILTINS.contains(name), name);
    }
    assertEquals(names.size(), Set.copyOf(names).size(), () -> "two of a name: " + names);
  }

  /** A task takes up to 20 arguments. */
  @Test
  void parametersHaveNamesThatDevicesTake() throws IOException {
    for (Class<?> type : CLASSES) {
      for (MethodModel method : model(type).methods()) {
        method
            .code()
            .ifPresent(code ->
                code.elementList()
                    .forEach(element -> {
                      if (element instanceof LocalVariable variable) {
                        String name = variable.name().stringValue();
                        assertFalse(WORDS.contains(name), () -> type + ": " + name);
                      }
                    }));
      }
    }
    for (Method kernel : kernels()) {
      assertTrue(kernel.getParameterCount() <= 20, kernel::toString);
    }
  }

  /** An array of Java that is a parameter is addressed past a header that local memory lacks. */
  @ParameterizedTest
  @FieldSource("CLASSES")
  void noMethodTakesLocalMemory(Class<?> type) {
    for (Method method : type.getDeclaredMethods()) {
      for (Parameter parameter : method.getParameters()) {
        assertFalse(parameter.getType().isArray(), () -> method + " takes an array");
      }
      assertFalse(method.getReturnType().isArray(), () -> method + " returns an array");
    }
  }

  /** Devices shift a negative int by it as {@code >>} does. */
  @ParameterizedTest
  @FieldSource("CLASSES")
  void noShiftIsUnsigned(Class<?> type) throws IOException {
    for (MethodModel method : model(type).methods()) {
      method
          .code()
          .ifPresent(code ->
              code.elementList()
                  .forEach(element -> {
                    if (element instanceof OperatorInstruction operator) {
                      assertFalse(
                          Arrays.asList(Opcode.IUSHR, Opcode.LUSHR).contains(operator.opcode()),
                          () -> method.methodName().stringValue() + " shifts by >>>");
                    }
                  }));
    }
  }

  /** Local memory is allocated where it is used, and nowhere else. */
  @Test
  void onlyLanesAndTilesAllocateLocalMemory() throws IOException {
    for (Class<?> type : CLASSES) {
      boolean allocates =
          model(type).methods().stream()
              .flatMap(method -> method.code().stream())
              .flatMap(code -> code.elementStream())
              .anyMatch(element ->
                  element instanceof InvokeInstruction call
                      && call.name().stringValue().endsWith("LocalArray"));
      boolean may = List.of(Lanes.class, TensorKernels.class, TileKernels.class).contains(type);
      assertEquals(may, allocates, type::toString);
    }
  }
}
