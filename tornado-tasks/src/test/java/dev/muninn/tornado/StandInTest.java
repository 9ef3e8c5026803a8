package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The classes of this module are compiled against a stand-in. Where TornadoVM is installed, each
 * type, method and field that they refer to is looked up in it.
 */
class StandInTest {
  private static final String API = "uk/ac/manchester/tornado/api/";

  @Test
  void whatIsReferredToIsThere() throws Exception {
    assumeTrue(
        ModuleLayer.boot().findModule("tornado.api").isPresent(),
        "TORNADOVM_HOME is not set: there is no API to compare with");
    TreeSet<String> missing = new TreeSet<>();
    int found = 0;
    for (ClassModel model : classes()) {
      for (PoolEntry entry : model.constantPool()) {
        if (entry instanceof MemberRefEntry member && isApi(member.owner())) {
          found++;
          if (!exists(member)) {
            missing.add(member.owner().asInternalName() + "." + member.name() + member.type());
          }
        }
      }
    }
    assertTrue(found > 50, "only " + found + " references");
    assertTrue(missing.isEmpty(), () -> "the installed TornadoVM lacks " + missing);
  }

  private static List<ClassModel> classes() throws Exception {
    Path root =
        Path.of(InstalledRuntime.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<ClassModel> models = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        models.add(ClassFile.of().parse(file));
      }
    }
    return models;
  }

  private static boolean isApi(ClassEntry owner) {
    return owner.asInternalName().startsWith(API);
  }

  private static boolean exists(MemberRefEntry member) {
    Class<?> owner;
    try {
      owner = Class.forName(member.owner().asInternalName().replace('/', '.'), false, loader());
    } catch (ClassNotFoundException e) {
      return false;
    }
    String name = member.name().stringValue();
    String type = member.type().stringValue();
    if (!type.startsWith("(")) {
      return Stream.of(owner.getFields()).anyMatch(field -> isField(field, name, type));
    }
    Executable[] candidates = name.equals("<init>") ? owner.getConstructors() : owner.getMethods();
    return Stream.of(candidates)
        .anyMatch(candidate ->
            (name.equals("<init>") || candidate.getName().equals(name))
                && descriptor(candidate).equals(type));
  }

  private static ClassLoader loader() {
    return StandInTest.class.getClassLoader();
  }

  private static boolean isField(Field field, String name, String type) {
    return field.getName().equals(name) && field.getType().descriptorString().equals(type);
  }

  private static String descriptor(Executable executable) {
    ClassDesc result =
        executable instanceof Method method
            ? method.getReturnType().describeConstable().orElseThrow()
            : ConstantDescs.CD_void;
    List<ClassDesc> parameters = new ArrayList<>();
    for (Class<?> parameter : executable.getParameterTypes()) {
      parameters.add(parameter.describeConstable().orElseThrow());
    }
    return MethodTypeDesc.of(result, parameters).descriptorString();
  }
}
