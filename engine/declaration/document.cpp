#include "engine/declaration/document.hpp"

namespace paperclip::declaration {

std::string json_schema() {
    SchemaSet set("#/$defs/", true);
    Schema root = type_of<Document>().schema(set);
    std::string out;
    JsonWriter w(out);
    w.begin_object();
    w.member("$schema", "https://json-schema.org/draft/2020-12/schema");
    w.member("title", "A company of agents, declared");
    w.member("$ref", "#/$defs/" + root.ref);
    set.write_all(w.key("$defs"));
    w.end_object();
    return out;
}

}  // namespace paperclip::declaration
