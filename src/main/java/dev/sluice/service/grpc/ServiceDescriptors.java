package dev.sluice.service.grpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import jakarta.inject.Singleton;

import com.google.protobuf.ByteString;

import dev.sluice.service.grpc.proto.FilesProto.File;
import dev.sluice.service.grpc.proto.FilesProto.FileSet;

/** Descriptors of the .proto files, as the build has compiled them. Immutable. */
@Singleton
class ServiceDescriptors {

    private static final String RESOURCE = "services.binpb";
    /** Files that no client needs: they describe how the others are stored. */
    private static final String INTERNAL = "dev/sluice/";

    private final Map<String, File> files = new HashMap<>();
    private final Map<String, ByteString> contents = new HashMap<>();
    private final Map<String, String> filesBySymbol = new HashMap<>();
    private final Set<String> services = new TreeSet<>();

    ServiceDescriptors() {
        try (var stream = ServiceDescriptors.class.getResourceAsStream(RESOURCE)) {
            if (stream == null) {
                throw new IllegalStateException(RESOURCE + " is missing in the package");
            }
            for (var content : FileSet.parseFrom(stream).getFileList()) {
                add(File.parseFrom(content), content);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void add(File file, ByteString content) {
        if (file.getName().startsWith(INTERNAL)) {
            return;
        }
        files.put(file.getName(), file);
        contents.put(file.getName(), content);
        var prefix = file.getPackage() + '.';
        file.getMessageTypeList().forEach(type -> filesBySymbol.put(prefix + type.getName(), file.getName()));
        file.getEnumTypeList().forEach(type -> filesBySymbol.put(prefix + type.getName(), file.getName()));
        file.getServiceList().forEach(service -> {
            filesBySymbol.put(prefix + service.getName(), file.getName());
            services.add(prefix + service.getName());
        });
    }

    /** Returns the full names of all services. */
    Set<String> services() {
        return services;
    }

    /** Returns a file and all files that it imports, itself first; empty if there is no such file. */
    Set<ByteString> file(String name) {
        var names = new LinkedHashSet<String>();
        collect(name, names);
        var found = new LinkedHashSet<ByteString>();
        names.forEach(each -> found.add(contents.get(each)));
        return found;
    }

    private void collect(String name, Set<String> names) {
        var file = files.get(name);
        if (file != null && names.add(name)) {
            file.getDependencyList().forEach(dependency -> collect(dependency, names));
        }
    }

    /** Returns the file of a service, a method, a message or an enumeration, and all files that it imports; empty if there is none. */
    Set<ByteString> fileOf(String symbol) {
        for (var name = symbol; !name.isEmpty(); name = name.substring(0, Math.max(0, name.lastIndexOf('.')))) {
            var file = filesBySymbol.get(name);
            if (file != null) {
                return file(file);
            }
        }
        return Set.of();
    }
}
