"""Rows from their file, however it was left, and tables that hold whatever names people give."""

import csv
import re
from dataclasses import fields

import pytest

from deconv.compare.protocol import Problem, Row
from deconv.compare.summary import summarise
from deconv.compare.table import as_latex, as_text, columns, read_rows, slug

ROW = Row(
    "pages", "a.b", "wiener", "classical", "psf", "k1", level=2.5, accuracy=0.5, parameters=12, read=("a,b", 'c"')
)


def write(path, rows, end=""):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)])
        writer.writeheader()
        writer.writerows(row.cells() for row in rows)
        file.write(end)
    return path


def other(**changes):
    return Row(**{f.name: getattr(ROW, f.name) for f in fields(Row)} | changes)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Richardson-Lucy", "richardson-lucy"),
        ("a  b/c\\d", "a-b-c-d"),
        ("v1.2_final", "v1.2-final"),
        ("../../etc", "etc"),
        ("Näher", "naher"),
        ("..", "unnamed"),
        ("<script>", "script"),
        ("模糊", "unnamed"),
    ],
)
def test_slugs(name, safe):
    assert slug(name) == safe
    assert re.fullmatch(r"[a-z0-9.-]+", slug(name))


def test_rows_come_back_as_they_were(tmp_path):
    rows = [ROW, other(item="c", problem='it said "no",\nand stopped', accuracy=None, read=())]
    assert read_rows(write(tmp_path / "rows.csv", rows)) == rows


def test_no_file_no_rows(tmp_path):
    assert read_rows(tmp_path / "rows.csv") == []
    (tmp_path / "rows.csv").write_bytes(b"")
    assert read_rows(tmp_path / "rows.csv") == []


@pytest.mark.parametrize("end", ["pages,b,wie", "pages,b,wiener,classical,psf,k1,1.0,,0.", 'pages,b,wiener,"cl', "p"])
def test_a_line_that_is_broken_off_is_left_out(tmp_path, end):
    assert read_rows(write(tmp_path / "rows.csv", [ROW], end)) == [ROW]


def test_the_last_row_of_each_key_counts(tmp_path):
    again, newer = other(accuracy=0.75), other(key="k2")
    assert read_rows(write(tmp_path / "rows.csv", [ROW, newer, again])) == [newer, again]


def test_other_tables_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("dataset,item,colour\npages,a,red\n")
    with pytest.raises(Problem, match=r"not a table of this version.*accuracy.*colour"):
        read_rows(path)
    write(path, [ROW])
    path.write_text(path.read_text().replace("0.5", "half"))
    with pytest.raises(Problem, match="line 2, is not a row"):
        read_rows(path)
    write(path, [ROW], "pages,too,short\n")
    with pytest.raises(Problem, match="line 3, is not a row"):
        read_rows(path)


def summaries(names=("wiener",), **scores):
    rows = []
    for method in ("blurred", *names):
        for i in range(4):
            kind = "reference" if method == "blurred" else "classical"
            accuracy = 0.1 * i if method == "blurred" else 0.04
            rows.append(
                Row("pages", f"p{i}", method, kind, "nothing", "k", accuracy=accuracy, seconds=1500.0, **scores)
            )
    rows.append(Row("pages", "p0", names[0], "classical", "nothing", "k", problem="no"))
    return summarise(rows)


def test_terminal_columns_are_aligned():
    lines = as_text(summaries(["wiener", "a much longer name"])).splitlines()
    assert lines[0] == "pages"
    rule = next(line for line in lines if line.startswith("---"))
    starts = [m.start() for m in re.finditer("-+", rule)]
    table = lines[lines.index(rule) - 1 :]
    assert all(line.ljust(start)[start - 1] == " " for line in table for start in starts[1:])
    assert len(table) == 5
    # (Numbers to the right, under each other's ends; names to the left.)
    at = table[0].index("ok") + 2
    assert [line[at - 3 : at] for line in table[2:]] == ["4/4", "4/4", "3/4"]


def test_terminal_tells_what_there_is_and_no_more():
    text = as_text(summaries())
    assert "over blurred" in text
    assert "-0.120" in text
    # (All its places, though the last is 0.)
    assert re.search(r"4/4 +0\.150 ", text)
    assert "1500" in text
    assert "PSNR" not in text
    assert "HDC" not in text
    # (Copying a picture takes no time worth telling, and the baseline has no difference to itself.)
    assert re.search(r"blurred .* -  +-$", text, re.M)
    assert as_text([]) == ""


def test_one_table_for_each_set():
    both = summaries() + summarise([Row("plates", "a", "blurred", "reference", "nothing", "k", psnr=12.345)])
    text = as_text(both)
    assert text.index("pages\n") < text.index("accuracy") < text.index("plates\n") < text.index("12.3")
    latex = as_latex(both, "Scores")
    assert r"\caption{Scores: pages}" in latex
    # An article has room for what a terminal has.
    heads = next(line for line in text.splitlines() if line.startswith("method")).split("  ")
    (row,) = [line for line in latex.splitlines() if line.startswith(" method") and "accuracy" in line]
    assert [h.strip() for h in row.removesuffix(r"\\").replace(r"\%", "%").split("&")] == [
        h.strip() for h in heads if h
    ]
    assert r"\caption{Scores: plates}" in latex


def test_what_a_terminal_would_obey_is_not_printed():
    text = as_text(summaries(["red \x1b[31m\nname"]))
    assert "\x1b" not in text
    assert "red ?[31m name" in text


def test_psnr_says_of_how_many_pictures_it_is():
    rows = [Row("a", str(i), "blurred", "reference", "nothing", "k", psnr=10.0) for i in range(3)]
    rows += [Row("a", str(i), "tv", "classical", "nothing", "k", psnr=20.0) for i in range(2)]
    rows.append(Row("a", "2", "tv", "classical", "nothing", "k", problem="no"))
    found = summarise(rows)
    assert "20.00 (2)" in as_text(found)
    assert "10.00 (" not in as_text(found)
    assert [c.title for c in columns(found)].count("PSNR") == 1
    assert [c.title for c in columns(found)][3:6] == ["ok", "PSNR", "95 % interval"]


def test_latex_is_escaped_and_complete():
    name = r"a_b & 50% #1 {x} \ ~ ^ $"
    latex = as_latex(summaries([name]), "Costs < 5$ & more_")
    assert r"a\_b \& 50\% \#1 \{x\} \textbackslash{} \textasciitilde{} \^{} \$" in latex
    assert r"\caption{Costs \ensuremath{<} 5\$ \& more\_}" in latex
    assert re.findall(r"\\(begin|end)\{(\w+)\}", latex) == [
        ("begin", "table"),
        ("begin", "tabular"),
        ("end", "tabular"),
        ("end", "table"),
    ]
    assert all(rule in latex for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    body = latex[latex.index(r"\midrule") : latex.index(r"\bottomrule")]
    cells = [len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines()[1:]]
    assert len(set(cells)) == 1
    assert "$-$0.120" in body
    assert r"\caption" not in as_latex(summaries(), "")
