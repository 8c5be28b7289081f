/// The page of `HTMLReport`. Double braces escape; the one triple is an SVG made
/// here, of escaped text.
enum HTMLReportTemplate {
  static let text = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{{title}}</title>
    <style>
    :root { color-scheme: light dark; --bg: #fbfbf9; --fg: #1c1f23; --dim: #62686f; --line: #d9dad5;
      --panel: #fff; --good: #1f7a4d; --goodbg: #d5eedf; --ex: #2a5d9f; --exbg: #d9e6f6;
      --skip: #8a6100; --skipbg: #f9e8bd; --bad: #b3261e; --badbg: #f8d3cf; }
    @media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e4e6e8; --dim: #9aa2aa;
      --line: #33393f; --panel: #1b1f23; --good: #7fd3a5; --goodbg: #173a2a; --ex: #9cc3f5;
      --exbg: #1b3151; --skip: #eac46a; --skipbg: #40330f; --bad: #ff9d94; --badbg: #551c18; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1.5rem; max-width: 86rem; background: var(--bg);
      color: var(--fg); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
    h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
    code, pre, .mono, table.matrix, svg text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
    code { font-size: .9em; overflow-wrap: anywhere; }
    pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); padding: .7rem;
      font-size: .8rem; line-height: 1.35; border-radius: 6px; }
    .pill { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-weight: 600; }
    .interleaved { color: var(--good); background: var(--goodbg); }
    .excluded { color: var(--ex); background: var(--exbg); }
    .skip { color: var(--skip); background: var(--skipbg); }
    .error, .finding { color: var(--bad); background: var(--badbg); }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
    dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
    .wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px;
      background: var(--panel); padding: .6rem; }
    table.matrix { border-collapse: separate; border-spacing: 2px; font-size: .74rem; }
    table.matrix th { font-weight: 500; color: var(--dim); text-align: left; white-space: nowrap; }
    table.matrix thead th.actor { border-bottom: 2px solid var(--line); color: var(--fg); }
    table.matrix th.point { writing-mode: vertical-rl; transform: rotate(180deg); height: 6.6rem; }
    table.matrix th.hold { position: sticky; left: 0; background: var(--panel); padding-right: .6rem; }
    table.matrix td { width: 1.55rem; height: 1.55rem; text-align: center; border-radius: 3px; }
    table.matrix td a { display: block; line-height: 1.55rem; color: inherit; text-decoration: none; }
    table.matrix td.none { background: transparent; }
    .claims { display: grid; gap: .35rem; } .claims > div { display: grid;
      grid-template-columns: 2.2rem 8.5rem 1fr; gap: .6rem; align-items: baseline; }
    .claims small { color: var(--dim); }
    .card { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
      padding: .8rem 1rem; margin: .6rem 0; }
    .card h3 { margin: 0 0 .3rem; font-size: 1rem; overflow-wrap: anywhere; }
    details { border-top: 1px solid var(--line); padding: .25rem 0; }
    summary { cursor: pointer; overflow-wrap: anywhere; } summary .mono { font-size: .85rem; }
    summary .sign { display: inline-block; width: 1.6rem; text-align: center; border-radius: 3px; }
    .dim { color: var(--dim); }
    svg.timeline { display: block; margin: .4rem 0; } svg text { fill: var(--fg); font-size: 11px; }
    svg .label { fill: var(--dim); font-size: 10px; } svg .axis { stroke: var(--line); }
    svg .held { fill: var(--skipbg); stroke: var(--skip); } svg .hit { fill: var(--dim); }
    svg .mark { fill: var(--panel); stroke: var(--dim); } svg .awaited { fill: var(--ex); }
    .filter button { font: inherit; border: 1px solid var(--line); background: var(--panel);
      color: inherit; border-radius: 1rem; padding: .1rem .7rem; cursor: pointer; }
    @media (max-width: 40rem) { body { padding: .8rem; }
      .claims > div { grid-template-columns: 2.2rem 1fr; } .claims > div > :last-child { grid-column: 1 / -1; } }
    </style>
    </head>
    <body>
    <header>
    <h1>zswap harness: <span class="pill {{status}}" id="verdict">{{verdict}}</span></h1>
    {{#hasError}}<p class="error card">{{error}}</p>{{/hasError}}
    <dl>{{#header}}<dt>{{name}}</dt><dd><code>{{value}}</code></dd>{{/header}}</dl>
    </header>

    <h2>Claims of shrink_memcg_cb()</h2>
    <div class="claims">{{#claims}}
    <div><strong>{{id}}</strong><span><span class="pill {{css}}">{{result}}</span></span>
    <span>{{sentence}} <small>{{why}}</small></span></div>{{/claims}}
    </div>

    {{#matrices}}
    <h2>Race matrix, points reached by <code>{{provider}}</code></h2>
    <p class="dim">Row: where one actor is held. Column: what another has to pass meanwhile.</p>
    <div class="wide"><table class="matrix" id="matrix-{{provider}}">
    <thead><tr><th></th>{{#groups}}<th class="actor" colspan="{{span}}">{{actor}}</th>{{/groups}}</tr>
    <tr><th>held at</th>{{#columns}}<th class="point">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>{{#rows}}<tr><th class="hold">{{hold}}</th>{{#cells}}<td class="{{css}}">{{#there}}<a href="#trial-{{trial}}" title="{{tip}}">{{sign}}</a>{{/there}}</td>{{/cells}}</tr>
    {{/rows}}</tbody></table></div>
    {{/matrices}}
    <p>{{#legend}}<span class="pill {{css}}">{{sign}}</span> {{name}} &nbsp; {{/legend}}</p>

    {{#hasFindings}}<h2>Findings</h2>{{/hasFindings}}
    {{#findings}}<section class="card findings">
    <h3><span class="pill {{css}}">{{#known}}known upstream{{/known}}{{^known}}{{kind}}{{/known}}</span> {{title}}</h3>
    {{#hasSchedule}}<p><code>--schedule "{{schedule}}"</code></p>{{/hasSchedule}}
    {{#hasClaims}}<p>Violates {{claims}}.</p>{{/hasClaims}}
    <p>{{details}}</p>
    {{#hasFrames}}<pre>{{#frames}}{{.}}
    {{/frames}}</pre>{{/hasFrames}}
    {{#hasExcerpt}}<details><summary>Console</summary><pre>{{excerpt}}</pre></details>{{/hasExcerpt}}
    <p class="dim">fingerprint <code>{{fingerprint}}</code>{{#hasTrial}} · <a href="#trial-{{trial}}">timeline of trial {{trial}}</a>{{/hasTrial}}</p>
    </section>{{/findings}}

    {{#hasReasons}}<h2>Not exercised</h2><ul>{{#reasons}}<li>{{.}}</li>{{/reasons}}</ul>{{/hasReasons}}

    <h2>Trials</h2>
    <p class="filter" hidden><button data-show="all">all</button> <button data-show="bad">only what did not pass</button></p>
    {{#trials}}<details class="trial" id="trial-{{index}}" data-css="{{css}}"{{#open}} open{{/open}}>
    <summary><span class="sign {{css}}">{{sign}}</span> <span class="mono">{{index}} {{title}}</span> <span class="dim">{{outcome}}</span></summary>
    {{#hasSaid}}<ul>{{#said}}<li>{{.}}</li>{{/said}}</ul>{{/hasSaid}}
    <div class="wide">{{{timeline}}}</div>
    <p class="dim">{{rule}} {{milliseconds}} ms.</p>
    </details>
    {{/trials}}

    {{#hasNotes}}<h2>Notes</h2><ul>{{#notes}}<li>{{.}}</li>{{/notes}}</ul>{{/hasNotes}}
    <script>
    (function () {
      var root = document.documentElement;
      root.dataset.errors = "0";
      window.addEventListener("error", function () { root.dataset.errors = String(1 + Number(root.dataset.errors)); });
      function open() {
        var target = location.hash && document.getElementById(location.hash.slice(1));
        if (target && "open" in target) { target.open = true; target.scrollIntoView(); }
      }
      window.addEventListener("hashchange", open);
      open();
      var filter = document.querySelector(".filter");
      filter.hidden = false;
      filter.addEventListener("click", function (event) {
        var show = event.target.dataset.show;
        if (!show) { return; }
        document.querySelectorAll(".trial").forEach(function (trial) {
          var good = trial.dataset.css === "interleaved" || trial.dataset.css === "excluded";
          trial.hidden = show === "bad" && good;
        });
      });
      window.addEventListener("load", function () {
        root.dataset.overflow = String(root.scrollWidth - root.clientWidth);
        root.dataset.matrix = String(Array.prototype.filter.call(document.querySelectorAll("table.matrix td a"), function (cell) { return cell.offsetWidth > 0; }).length);
        root.dataset.timelines = String(document.querySelectorAll("svg.timeline").length);
      });
    }());
    </script>
    </body>
    </html>

    """#
}
