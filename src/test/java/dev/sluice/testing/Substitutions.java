package dev.sluice.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

import org.jboss.jandex.AnnotationInstance;
import org.jboss.jandex.AnnotationTarget;
import org.jboss.jandex.ArrayType;
import org.jboss.jandex.ClassInfo;
import org.jboss.jandex.DotName;
import org.jboss.jandex.Index;
import org.jboss.jandex.Indexer;
import org.jboss.jandex.MethodInfo;
import org.jboss.jandex.Type;

/**
 * Compares the GraalVM substitutions in a set of jars with the classes that they replace parts of. Substitutions name methods by
 * their signature, so a newer version of the replaced library can make them wrong: an element that no longer exists fails the native
 * build, and an overload that is new is simply not replaced. Classes of the JDK are left out: they are not in the jars.
 *
 * @see <a href="https://github.com/oracle/graal/blob/master/sdk/src/org.graalvm.nativeimage/src/com/oracle/svm/core/annotate">The
 *      annotations</a>
 */
public final class Substitutions {

    private static final String ANNOTATIONS = "com.oracle.svm.core.annotate.";
    private static final DotName TARGET_CLASS = DotName.createSimple(ANNOTATIONS + "TargetClass");
    private static final DotName TARGET_ELEMENT = DotName.createSimple(ANNOTATIONS + "TargetElement");
    private static final DotName SUBSTITUTE = DotName.createSimple(ANNOTATIONS + "Substitute");
    private static final DotName ALIAS = DotName.createSimple(ANNOTATIONS + "Alias");
    private static final DotName DELETE = DotName.createSimple(ANNOTATIONS + "Delete");
    private static final DotName KEEP_ORIGINAL = DotName.createSimple(ANNOTATIONS + "KeepOriginal");
    private static final List<DotName> NAMES_AN_ELEMENT = List.of(SUBSTITUTE, ALIAS, DELETE, KEEP_ORIGINAL);
    private static final List<DotName> REPLACES_AN_ELEMENT = List.of(SUBSTITUTE, DELETE);
    private static final List<String> JDK = List.of("java.", "javax.", "jdk.", "sun.", "com.sun.");

    private final ClassLoader loader;
    /** Name of a substitution class to that of its target: signatures of substitutions name the former. */
    private final Map<String, String> targets = new HashMap<>();
    /** Target class to its substitution classes that are in force. */
    private final Map<String, Set<ClassInfo>> substitutions = new HashMap<>();
    private final List<String> missing = new ArrayList<>();
    private final Set<String> uncovered = new TreeSet<>();

    /**
     * @param jars the whole class path of the image
     * @param loader a class loader of the same jars, for the conditions ({@code onlyWith})
     */
    public Substitutions(List<Path> jars, ClassLoader loader) throws IOException, ReflectiveOperationException {
        this.loader = loader;
        var indexer = new Indexer();
        index(indexer, jars);
        for (var annotation : indexer.complete().getAnnotations(TARGET_CLASS)) {
            register(annotation);
        }
        for (var entry : substitutions.entrySet()) {
            var target = target(entry.getKey());
            if (target.isEmpty()) {
                missing.add(entry.getKey() + " (of " + entry.getValue() + ")");
            } else {
                compare(target.get(), entry.getValue());
            }
        }
    }

    /** Returns the target classes in the jars for which there are substitutions. */
    public Set<String> targets() {
        return new TreeSet<>(substitutions.keySet());
    }

    /** Returns the classes, methods and fields of substitutions that do not exist in the target, or not with that signature. */
    public List<String> missing() {
        return missing;
    }

    /**
     * Returns the methods and constructors that have the name of a replaced one and are not replaced themselves, as
     * {@code package.Class.method(type,type)}.
     */
    public Set<String> uncovered() {
        return uncovered;
    }

    /** Indexes the classes that use the annotations: a small part of the classes in the jars. */
    private static void index(Indexer indexer, List<Path> jars) throws IOException {
        for (var path : jars) {
            try (var jar = new JarFile(path.toFile())) {
                for (var entry : jar.stream().filter(file -> file.getName().endsWith(".class")).toList()) {
                    try (var stream = jar.getInputStream(entry)) {
                        var classFile = stream.readAllBytes();
                        if (new String(classFile, ISO_8859_1).contains(ANNOTATIONS.replace('.', '/'))) {
                            indexer.index(new ByteArrayInputStream(classFile));
                        }
                    }
                }
            }
        }
    }

    private Optional<ClassInfo> target(String name) throws IOException {
        try (var classFile = loader.getResourceAsStream(name.replace('.', '/') + ".class")) {
            return classFile == null ? Optional.empty() : Optional.of(Index.singleClass(classFile));
        }
    }

    private void register(AnnotationInstance annotation) throws ReflectiveOperationException {
        var substitution = annotation.target().asClass();
        var target = targetName(annotation);
        targets.put(substitution.name().toString(), target);
        if (JDK.stream().noneMatch(target::startsWith) && applies(annotation, target)) {
            substitutions.computeIfAbsent(target, name -> new LinkedHashSet<>()).add(substitution);
        }
    }

    private String targetName(AnnotationInstance annotation) throws ReflectiveOperationException {
        String name;
        if (annotation.value() != null) {
            name = annotation.value().asClass().name().toString();
        } else if (annotation.value("className") != null) {
            name = annotation.value("className").asString();
        } else if (annotation.value("classNameProvider") != null) {
            @SuppressWarnings("unchecked")
            var provider = (Function<Object, String>) create(annotation.value("classNameProvider").asClass());
            name = provider.apply(null);
        } else {
            throw new IllegalArgumentException(annotation + " of " + annotation.target() + " names no class");
        }
        var inner = annotation.value("innerClass");
        return inner == null ? name : name + '$' + String.join("$", inner.asStringArray());
    }

    /** Returns whether all conditions hold. */
    private boolean applies(AnnotationInstance annotation, String target) throws ReflectiveOperationException {
        var conditions = annotation == null ? null : annotation.value("onlyWith");
        if (conditions == null) {
            return true;
        }
        for (var type : conditions.asClassArray()) {
            var condition = create(type);
            if (condition instanceof BooleanSupplier supplier ? !supplier.getAsBoolean() : !test(condition, target)) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("unchecked")
    private static boolean test(Object condition, String target) {
        return ((Predicate<String>) condition).test(target);
    }

    private Object create(Type type) throws ReflectiveOperationException {
        var constructor = Class.forName(type.name().toString(), true, loader).getDeclaredConstructor();
        constructor.setAccessible(true);
        return constructor.newInstance();
    }

    private void compare(ClassInfo target, Set<ClassInfo> classes) throws IOException, ReflectiveOperationException {
        var signatures = new HashMap<String, MethodInfo>();
        target.methods().forEach(method -> signatures.put(signature(method, method.name()), method));
        var covered = new HashSet<String>();
        var names = new HashSet<String>();
        for (var substitution : classes) {
            if (substitution.hasDeclaredAnnotation(DELETE)) {
                continue;
            }
            boolean whole = substitution.hasDeclaredAnnotation(SUBSTITUTE);
            for (var method : substitution.methods()) {
                var name = elementName(method, method.name(), target);
                if (name.isEmpty() || !whole && !names(method, NAMES_AN_ELEMENT)) {
                    continue;
                }
                var signature = signature(method, name.get());
                var original = signatures.get(signature);
                // The implicit constructor of a class that replaces another as a whole is not annotated.
                if (names(method, NAMES_AN_ELEMENT) && (original == null
                        || Modifier.isStatic(original.flags()) != Modifier.isStatic(method.flags()))) {
                    missing.add(target.name() + "." + signature + " (of " + substitution.name() + ")");
                }
                covered.add(signature);
                if (whole && names(method, NAMES_AN_ELEMENT) || names(method, REPLACES_AN_ELEMENT)) {
                    names.add(name.get());
                }
            }
            for (var field : substitution.fields()) {
                var name = elementName(field, field.name(), target);
                if (name.isPresent() && names(field, NAMES_AN_ELEMENT) && !hasField(target, name.get())) {
                    missing.add(target.name() + "." + name.get() + " (of " + substitution.name() + ")");
                }
            }
        }
        signatures.forEach((signature, method) -> {
            if (names.contains(method.name()) && !covered.contains(signature) && !method.isSynthetic()) {
                uncovered.add(target.name() + "." + described(method));
            }
        });
    }

    /** Returns whether the class declares or inherits the field; true for a class of the JDK. */
    private boolean hasField(ClassInfo type, String name) throws IOException {
        if (type.field(name) != null) {
            return true;
        }
        var superclass = type.superName().toString();
        if (superclass.equals("java.lang.Object")) {
            return false;
        }
        return JDK.stream().anyMatch(superclass::startsWith) || hasField(target(superclass).orElseThrow(), name);
    }

    private static boolean names(AnnotationTarget element, List<DotName> annotations) {
        return annotations.stream().anyMatch(element::hasDeclaredAnnotation);
    }

    /** Returns the name of the element in the target; empty if a condition does not hold. */
    private Optional<String> elementName(AnnotationTarget element, String own, ClassInfo target)
            throws ReflectiveOperationException {
        var annotation = element.declaredAnnotation(TARGET_ELEMENT);
        if (!applies(annotation, target.name().toString())) {
            return Optional.empty();
        }
        return Optional.of(annotation == null || annotation.value("name") == null ? own : annotation.value("name").asString());
    }

    /** Returns name, parameter types and return type, with targets in place of their substitution classes. */
    private String signature(MethodInfo method, String name) {
        return method.parameterTypes().stream().map(this::original).collect(Collectors.joining(",", name + "(", ")"))
                + original(method.returnType());
    }

    private String original(Type type) {
        if (type instanceof ArrayType array) {
            return original(array.constituent()) + "[]".repeat(array.dimensions());
        }
        var name = type.name().toString();
        return targets.getOrDefault(name, name);
    }

    private static String described(MethodInfo method) {
        return method.parameterTypes().stream().map(type -> simple(type))
                .collect(Collectors.joining(",", method.name() + "(", ")"));
    }

    private static String simple(Type type) {
        if (type instanceof ArrayType array) {
            return simple(array.constituent()) + "[]".repeat(array.dimensions());
        }
        var name = type.name().toString();
        return name.substring(Math.max(name.lastIndexOf('.'), name.lastIndexOf('$')) + 1);
    }
}
