# pc_module(base SOURCES a.cpp b.cpp LINKS PUBLIC x PRIVATE y SQL a.sql MIGRATIONS m/0001.sql)
#
# One folder of engine/ is one module is one static library, paperclip_<name>. Includes are written
# from the root of the tree. SQL files become part of the library as `<name>_sql()`, see
# engine/storage/catalogue.hpp.
function(pc_module name)
    cmake_parse_arguments(MODULE "" "" "SOURCES;LINKS;SQL;MIGRATIONS" ${ARGN})
    set(target paperclip_${name})
    add_library(${target} STATIC ${MODULE_SOURCES})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
    if(MODULE_LINKS)
        target_link_libraries(${target} ${MODULE_LINKS})
    endif()
    if(MODULE_SQL OR MODULE_MIGRATIONS)
        pc_embed_sql(${target} ${name} "${MODULE_SQL}" "${MODULE_MIGRATIONS}")
    endif()
endfunction()

# Writes <name>_sql.cpp: the text of the module's .sql files as string literals.
function(pc_embed_sql target name statements migrations)
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${name}_sql.cpp)
    set(inputs)
    foreach(file ${statements} ${migrations})
        list(APPEND inputs ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    endforeach()
    add_custom_command(
        OUTPUT ${generated}
        COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DOUTPUT=${generated}
                "-DSTATEMENTS=${statements}" "-DMIGRATIONS=${migrations}"
                -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR}
                -P ${CMAKE_SOURCE_DIR}/scripts/cmake/EmbedSql.cmake
        DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/scripts/cmake/EmbedSql.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${generated})
endfunction()

# pc_plugin(agent-fake SOURCES fake.cpp LINKS …): a plugin in its folder, plugin.json beside it. FOLDER:
# of plugins, another one than the engine's; MANIFEST: the file that becomes plugin.json.
function(pc_plugin id)
    cmake_parse_arguments(PLUGIN "" "FOLDER;MANIFEST" "SOURCES;LINKS" ${ARGN})
    if(NOT PLUGIN_FOLDER)
        set(PLUGIN_FOLDER ${PAPERCLIP_PLUGIN_OUTPUT})
        set(is_part_of_product ON)
    endif()
    if(NOT PLUGIN_MANIFEST)
        set(PLUGIN_MANIFEST plugin.json)
    endif()
    get_filename_component(manifest ${PLUGIN_MANIFEST} ABSOLUTE)
    add_library(${id} MODULE ${PLUGIN_SOURCES})
    if(is_part_of_product)
        add_dependencies(paperclipai ${id})  # not linked, but who builds the one wants the other
    endif()
    target_link_libraries(${id} PRIVATE paperclip_sdk ${PLUGIN_LINKS})
    pc_plugin_settings(${id})
    set_target_properties(${id} PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PLUGIN_FOLDER}/${id})
    add_custom_command(TARGET ${id} POST_BUILD
        COMMAND ${CMAKE_COMMAND} -E copy_if_different ${manifest} ${PLUGIN_FOLDER}/${id}/plugin.json)
endfunction()

# pc_embed_text(target name file): a text file as `extern const char paperclip::app::<name>[]`.
function(pc_embed_text target name file)
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    set(input ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${input})
    file(READ ${input} text)
    file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Generated from ${file}.
namespace paperclip::app {
extern const char ${name}[];
const char ${name}[] = R\"text(${text})text\";
}  // namespace paperclip::app
")
    target_sources(${target} PRIVATE ${generated})
endfunction()

# pc_embed_examples(target folder file…): files of `folder` as `paperclip::cli::example_files()`, see
# engine/cli/plugin_files.hpp.
function(pc_embed_examples target folder)
    set(body "")
    foreach(file ${ARGN})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${file})
        file(READ ${folder}/${file} text)
        string(APPEND body "    {\"${file}\", R\"text(${text})text\"},\n")
    endforeach()
    # In two steps: a file that is the same keeps its time, and what is in the texts is left alone.
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/example_files.cpp)
    file(WRITE ${generated}.new
"// Generated from the files of sdk/examples.
#include \"engine/cli/plugin_files.hpp\"

namespace paperclip::cli {

static constexpr ExampleFile k_files[] = {
${body}};

std::span<const ExampleFile> example_files() {
    return k_files;
}

}  // namespace paperclip::cli
")
    configure_file(${generated}.new ${generated} COPYONLY)
    target_sources(${target} PRIVATE ${generated})
endfunction()
