"""Judges documents by a schematron, with Saxon: its XPath and its XSLT. `schematron.py RULES.sch.xml DOCUMENT…`, a line of JSON for each.

Only what Digg's two files use is known here: patterns, abstract ones with their parameters, rules, assertions. Of a pattern's rules the
first that fits an element is asked, as ISO 19757-3 says."""

import json
import sys
import xml.etree.ElementTree as ET

from saxonche import PySaxonProcessor

SCH = "{http://purl.oclc.org/dsdl/schematron}"
XSL = "http://www.w3.org/1999/XSL/Transform"


def filled(text, params):
    for name in sorted(params, key=len, reverse=True):
        text = text.replace("$" + name, params[name])
    return text


def patterns(schema):
    abstract = {p.get("id"): p for p in schema.iter(SCH + "pattern") if p.get("abstract") == "true"}
    for pattern in schema.iter(SCH + "pattern"):
        if pattern.get("abstract") == "true":
            continue
        params = {p.get("name"): p.get("value") for p in pattern.findall(SCH + "param")}
        body = abstract[pattern.get("is-a")] if pattern.get("is-a") else pattern
        yield [
            (filled(r.get("context"), params), [(a.get("id") or pattern.get("id"), filled(a.get("test"), params)) for a in r.findall(SCH + "assert")])
            for r in body.findall(SCH + "rule")
        ]


def stylesheet(schema):
    ET.register_namespace("xsl", XSL)
    x = lambda name: "{%s}%s" % (XSL, name)
    root = ET.Element(x("stylesheet"), {"version": "3.0"})
    ET.SubElement(root, x("output"), {"method": "text"})
    names = {ns.get("prefix"): ns.get("uri") for ns in schema.iter(SCH + "ns")}
    start = ET.SubElement(root, x("template"), {"match": "/"})
    count = 0
    for place, rules in enumerate(patterns(schema)):
        mode = "p%d" % place
        ET.SubElement(start, x("apply-templates"), {"select": "//*", "mode": mode})
        for rank, (context, asserts) in enumerate(rules):
            template = ET.SubElement(root, x("template"), {"match": context, "mode": mode, "priority": str(1000 - rank)})
            for name, test in asserts:
                count += 1
                otherwise = ET.SubElement(template, x("if"), {"test": "not(%s)" % test})
                ET.SubElement(otherwise, x("value-of"), {"select": "'%s at ', path(), codepoints-to-string(10)" % (name or "rule")})
        ET.SubElement(root, x("template"), {"match": "node()", "mode": mode, "priority": "-10"})
    text = ET.tostring(root, encoding="unicode")
    declared = "".join(' xmlns:%s="%s"' % pair for pair in names.items())
    return text.replace("<xsl:stylesheet", "<xsl:stylesheet" + declared, 1), count


def main():
    schema = ET.parse(sys.argv[1]).getroot()
    text, count = stylesheet(schema)
    with PySaxonProcessor(license=False) as saxon:
        program = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
        print(json.dumps({"assertions": count}))
        for path in sys.argv[2:]:
            said = program.transform_to_string(source_file=path)
            print(json.dumps({"file": path, "failed": [line for line in (said or "").splitlines() if line]}))


main()
