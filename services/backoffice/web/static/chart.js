"use strict";
// The course of a product's stock, a step for each size; the numbers are also in a table.
document.addEventListener("DOMContentLoaded", () => {
  const canvas = document.getElementById("course-chart");
  if (!canvas) return;
  const { days, lines } = JSON.parse(canvas.dataset.course);
  const style = getComputedStyle(document.documentElement);
  const colours = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"].map((name) => style.getPropertyValue(name).trim());
  const ink = style.getPropertyValue("--dim").trim();
  const rule = style.getPropertyValue("--rule").trim();
  new Chart(canvas, {
    type: "line",
    data: {
      labels: days,
      datasets: lines.map((line, index) => ({
        label: line.size || "units",
        data: line.points,
        borderColor: colours[index % colours.length],
        backgroundColor: colours[index % colours.length],
        borderDash: index < colours.length ? [] : [6, 3],
        borderWidth: 2, pointRadius: line.points.filter((units) => units !== null).length < 4 ? 3 : 0, pointHitRadius: 8, stepped: "middle",
      })),
    },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { ticks: { color: ink, maxRotation: 0, autoSkipPadding: 24 }, grid: { display: false } },
        y: { beginAtZero: true, ticks: { color: ink, precision: 0 }, grid: { color: rule } },
      },
      plugins: { legend: { labels: { color: ink, boxWidth: 12, boxHeight: 2 } } },
    },
  });
});
