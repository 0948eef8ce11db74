package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.testing.ImageHeap;
import dev.sluice.testing.Substitutions;

/**
 * Checks the input of a native compiler without running one. {@code ./mvnw verify -Pnative-sources} makes Quarkus write it to
 * target/native-sources.
 */
class NativeSourcesCheck {

    private static final Path SOURCES = Path.of(System.getProperty("sluice.native.sources", "target/native-sources"));
    private static final String CONFIG = "META-INF/native-image/";
    private static final String CAFFEINE = "com.github.benmanes.caffeine.cache.";

    /** Overloads of substituted methods that need no substitution, with the reason. */
    private static final Map<String, String> HARMLESS_OVERLOADS = Map.of(
            "io.grpc.netty.GrpcSslContexts.configure(SslContextBuilder)",
            "calls the substituted overload with the default provider",
            "io.netty.buffer.EmptyByteBuf.nioBuffer(int,int)", "checks its arguments and calls the substituted nioBuffer()",
            "io.netty.buffer.EmptyByteBuf.nioBuffers(int,int)", "checks its arguments and calls the substituted nioBuffers()",
            "io.netty.handler.codec.compression.ZlibCodecFactory.newZlibDecoder(int)",
            "called by newZlibDecoder() only, substituted",
            "io.netty.handler.codec.compression.ZlibCodecFactory.newZlibDecoder(byte[],int)",
            "called by newZlibDecoder(byte[]) only, substituted",
            "io.netty.handler.ssl.SslContext.toPrivateKey(File,String,boolean)",
            "called by toPrivateKey(File,String) only, substituted unless Bouncy Castle is present",
            "org.slf4j.LoggerFactory.getLogger(String)", "called by the substituted getLogger(Class)");

    private static JarFile program;
    private static List<Path> libraries;
    private static URLClassLoader loader;

    @BeforeAll
    static void open() throws IOException {
        try (var files = Files.list(SOURCES); var jars = Files.list(SOURCES.resolve("lib"))) {
            program = new JarFile(
                    files.filter(file -> file.toString().endsWith("-runner.jar")).findFirst().orElseThrow().toFile());
            libraries = jars.sorted().toList();
        }
        var urls = new ArrayList<URL>();
        urls.add(Path.of(program.getName()).toUri().toURL());
        for (var library : libraries) {
            urls.add(library.toUri().toURL());
        }
        loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    @AfterAll
    static void close() throws IOException {
        loader.close();
        program.close();
    }

    @Test
    void resourcesAreIncludedInTheImage() throws IOException {
        var patterns = configurations("resource-config.json").stream()
                .flatMap(config -> elements(config.path("resources").path("includes")))
                .map(included -> Pattern.compile(included.path("pattern").textValue())).toList();
        try (var files = Files.walk(Path.of("src/main/resources/dev"))) {
            assertThat(files.filter(Files::isRegularFile).map(Path.of("src/main/resources")::relativize).map(Path::toString))
                    .isNotEmpty()
                    .allMatch(file -> patterns.stream().anyMatch(pattern -> pattern.matcher(file).matches()));
        }
        try (var all = program.stream()) {
            assertThat(all.filter(entry -> entry.getName().endsWith(".lua"))).hasSizeGreaterThan(5);
        }
    }

    /** Caffeine composes the names of the classes that it loads; Quarkus registers only some of them. */
    @Test
    void cacheClassesAreRegistered() throws Exception {
        var registered = reflectionClasses();
        try (var feature = loader.getResourceAsStream("io/quarkus/caffeine/runtime/graal/CacheConstructorsFeature.class")) {
            registered.addAll(strings(feature));
        }
        var heap = new ImageHeap();
        heap.add(create("dev.sluice.store.memory.InMemoryWindowStore", null, 1L, 1L, 1));
        heap.add(create("dev.sluice.llm.ledger.InMemoryLedger", 1));
        var used = heap.types().stream().map(Class::getName).filter(name -> name.matches(Pattern.quote(CAFFEINE) + "[A-Z]{2,}"))
                .collect(Collectors.toSet());
        assertThat(used).hasSizeGreaterThanOrEqualTo(4).isSubsetOf(registered);
    }

    @Test
    void openApiAndResourceClassesAreRegistered() throws IOException {
        var registered = reflectionClasses();
        assertThat(programClasses("dev.sluice.service.api.")
                .filter(name -> name
                        .matches(".*\\.(OpenApiDefinition\\$[A-Z]\\w*|[A-Z]\\w*(Resource|Request|Response)(\\$[A-Z]\\w*)?)")))
                .hasSizeGreaterThan(8).allMatch(registered::contains);
        assertThat(programClasses("dev.sluice.").filter(name -> name.endsWith("$$CMImpl")))
                .hasSizeGreaterThan(5).allMatch(registered::contains);
    }

    /** Jackson looks for the annotation of their JSON form. */
    @Test
    void resultsWithAJsonFormAreRegistered() throws IOException {
        assertThat(reflectionClasses()).contains("dev.sluice.api.Decision", "dev.sluice.api.DecisionMode",
                "dev.sluice.api.Quota", "dev.sluice.api.QuotaStatus", "dev.sluice.api.Rate", "dev.sluice.api.WindowUsage",
                "dev.sluice.llm.ledger.UsageReport", "dev.sluice.llm.ledger.UsageTotals");
    }

    /**
     * The static fields of the classes, and everything reachable from them, are stored in the image. They must not refer to
     * classes that are initialized at run time, nor to objects that differ between processes.
     */
    @Test
    void imageHeapContainsNoProcessState() throws Exception {
        var heap = new ImageHeap();
        for (var name : programClasses("dev.sluice.").toList()) {
            heap.addStatics(Class.forName(name, true, loader));
        }
        var frozen = heap.types().stream().flatMap(NativeSourcesCheck::superclasses).map(Class::getName)
                .collect(Collectors.toSet());
        assertThat(frozen).contains("com.fasterxml.jackson.core.JsonFactory")
                .doesNotContainAnyElementsOf(initializedAtRunTime());
        assertThat(heap.processState()).isEmpty();
    }

    @Test
    void compilerOptionsAreThoseOfQuarkus() throws IOException {
        assertThat(Files.readString(SOURCES.resolve("native-image.args"))).contains("--link-at-build-time")
                .doesNotContain("dev.sluice", "--initialize-at-run-time", "--allow-incomplete-classpath");
    }

    /**
     * A substitution that names nothing fails the native build. One that a newer library has grown an overload beside leaves code
     * in the image that was meant to be replaced: with Netty 4.1.136 that was a client's OpenSSL
     * (https://github.com/quarkusio/quarkus/issues/55623).
     */
    @Test
    void substitutionsCoverTheLibrariesAsResolved() throws Exception {
        var jars = Stream.concat(Stream.of(Path.of(program.getName())), libraries.stream()).toList();
        var substitutions = new Substitutions(jars, loader);
        assertThat(substitutions.targets()).contains("io.netty.handler.ssl.SslContext",
                "io.vertx.core.spi.tls.DefaultSslContextFactory");
        assertThat(substitutions.missing()).isEmpty();
        assertThat(substitutions.uncovered()).isEqualTo(HARMLESS_OVERLOADS.keySet());
    }

    /**
     * The lite runtime takes the place of protobuf-java (pom.xml), of which Quarkus would register every message class: whatever a
     * library refers to must be in it. Netty's codec of protobuf messages is not used.
     */
    @Test
    void liteProtobufRuntimeContainsReferencedClasses() throws IOException {
        var referred = new TreeSet<String>();
        var name = Pattern.compile("com/google/protobuf/[\\w/$]+");
        for (var library : libraries.stream().filter(jar -> !jar.toString().contains("protobuf-javalite")).toList()) {
            try (var jar = new JarFile(library.toFile())) {
                for (var entry : jar.stream()
                        .filter(file -> file.getName().matches("(?!META-INF/|io/netty/handler/codec/protobuf/).+\\.class"))
                        .toList()) {
                    try (var classFile = jar.getInputStream(entry)) {
                        strings(classFile)
                                .forEach(text -> name.matcher(text).results().forEach(found -> referred.add(found.group())));
                    }
                }
            }
        }
        assertThat(referred).contains("com/google/protobuf/MessageLite")
                .allMatch(type -> loader.getResource(type + ".class") != null);
        assertThat(reflectionClasses()).filteredOn(type -> type.startsWith("com.google.protobuf.")).hasSizeLessThan(5);
    }

    private static Stream<Class<?>> superclasses(Class<?> type) {
        return Stream.iterate(type, current -> current != null, Class::getSuperclass);
    }

    private static Stream<String> programClasses(String prefix) {
        return program.stream().map(entry -> entry.getName().replace('/', '.')).filter(name -> name.startsWith(prefix))
                .filter(name -> name.endsWith(".class")).map(name -> name.substring(0, name.length() - ".class".length()));
    }

    private static Object create(String type, Object... arguments) throws ReflectiveOperationException {
        var constructor = Class.forName(type, true, loader).getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        return constructor.newInstance(arguments);
    }

    private static Set<String> reflectionClasses() throws IOException {
        return configurations("reflect-config.json").stream().flatMap(NativeSourcesCheck::elements)
                .map(type -> type.path("name").textValue()).collect(Collectors.toCollection(HashSet::new));
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return Stream.iterate(0, i -> i < array.size(), i -> i + 1).map(array::get);
    }

    /** Reads the configuration files of Quarkus and of the program. */
    private static List<JsonNode> configurations(String file) throws IOException {
        var found = new ArrayList<JsonNode>();
        for (var entry : program.stream().toList()) {
            if (entry.getName().startsWith(CONFIG) && entry.getName().endsWith('/' + file)) {
                try (var stream = program.getInputStream(entry)) {
                    found.add(new ObjectMapper().readTree(stream));
                }
            }
        }
        assertThat(found).hasSizeGreaterThan(1);
        return found;
    }

    /** Returns the classes that Quarkus and the libraries initialize at run time. */
    private static Set<String> initializedAtRunTime() throws IOException {
        var names = new TreeSet<String>();
        try (var feature = program.getInputStream(program.getEntry("io/quarkus/runner/Feature.class"))) {
            names.addAll(strings(feature));
        }
        for (var library : libraries) {
            try (var jar = new JarFile(library.toFile())) {
                for (var entry : jar.stream().filter(file -> file.getName().endsWith("native-image.properties")).toList()) {
                    try (var stream = jar.getInputStream(entry)) {
                        var options = Pattern.compile("--initialize-at-run-time=([\\w.$,]+)")
                                .matcher(new String(stream.readAllBytes()));
                        options.results().forEach(option -> names.addAll(List.of(option.group(1).split(","))));
                    }
                }
            }
        }
        assertThat(names).contains("io.netty.buffer.ByteBufUtil", "io.netty.util.AbstractReferenceCounted");
        return names;
    }

    /** Returns the strings in the constant pool of a class file. */
    private static Set<String> strings(InputStream classFile) throws IOException {
        var data = new DataInputStream(classFile);
        data.skipNBytes(8);
        int size = data.readUnsignedShort();
        var texts = new HashSet<String>();
        for (int i = 1; i < size; i++) {
            int tag = data.readUnsignedByte();
            switch (tag) {
                case 1 -> texts.add(data.readUTF());
                case 5, 6 -> {
                    data.skipNBytes(8);
                    i++; // long and double take two entries
                }
                case 7, 8, 16, 19, 20 -> data.skipNBytes(2);
                case 15 -> data.skipNBytes(3);
                default -> data.skipNBytes(4);
            }
        }
        return texts;
    }
}
